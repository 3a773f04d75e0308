"""Any picture of digits → what it says: ink, lines, the field the network takes, and the answer.

Neither TensorFlow nor Keras is imported here.
"""
