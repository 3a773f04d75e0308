"""``python -m keras_classics``: the same as ``keras-classics``."""

from keras_classics import launch

if __name__ == "__main__":
    launch.forget_first_folder()
    from keras_classics import commands

    commands.main()
