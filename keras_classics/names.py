"""Names that the whole project shares, known without a framework: networks, their variants and their titles."""

NETWORKS = ("lenet5", "lenet5-1998", "alexnet")
TITLES = {"lenet5": "LeNet-5", "lenet5-1998": "LeNet-5 (1998)", "alexnet": "AlexNet"}
LENET5_VARIANTS = ("modern", "1998")
THRESHOLD = 0.3  # of probability: less is no answer of ``Recognizer`` (docs/recognition.md says how it was chosen)
# The rows of ``alexnet.VARIANTS``.
ALEXNET_VARIANTS = (
    *("paper", "single_tower", "cifar10", "cifar10_batchnorm", "cifar10_convolutional", "caffe", "torchvision"),
)
