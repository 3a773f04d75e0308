"""``python -m train.claims``: what people repeat about LeNet and AlexNet, each claim as networks that are trained."""

import dataclasses
import itertools

from keras_classics import cli, datasets, files, generated, locks
from keras_classics.errors import InputError
from train import recipes
from train.experiments import arm as arms
from train.experiments.arm import Arm
from train.experiments.claim import Claim, Comparison, marks
from train.experiments.networks import Digits, Named, Small
from train.run_settings import PRECISIONS

PROG = "python -m train.claims"
_2012, _1998 = "Krizhevsky, Sutskever, Hinton, 2012", "LeCun, Bottou, Bengio, Haffner, 1998"


# Ours, short enough for two cores: after as many pictures, validation error is lower than with section 5's momentum.
_PICTURES = recipes.Recipe(
    batch_size=128,
    epochs=20,
    optimizer="adamw",
    learning_rate=0.002,
    weight_decay=0.05,
    schedule="cosine",
    warmup=0.05,
    augmentation="small_photographs",
)
# Figure 1: "No regularization of any kind was employed"; a rate that stays as it is.
_FIGURE_1 = dataclasses.replace(
    _PICTURES,
    epochs=40,
    optimizer="sgd",
    momentum=0.9,
    learning_rate=0.02,
    weight_decay=0.0,
    schedule="steps",
    rate_steps="1000:1",
    augmentation="none",
)
_DIGITS = dataclasses.replace(recipes.LENET5["default"], min_images=0)
_PLAIN_DIGITS = dataclasses.replace(_DIGITS, augmentation="none")
_STEPS_OF_1998 = recipes.LENET5["1998"]
_GRADIENT_STEPS = dataclasses.replace(_STEPS_OF_1998, loss="cross_entropy", learning_rate=0.02)

_SMALL = Small()
_FOUR_LAYERS = Small(filters=(32, 32, 64), kernels=(5, 5, 5), groups=(1, 1, 1), pooled=(0, 1, 2), dense=())


def _small(**changes):
    return Arm(dataclasses.replace(_SMALL, **changes), _PICTURES)


def _figure_1(activation, rate):
    network = dataclasses.replace(_FOUR_LAYERS, activation=activation)
    return Arm(network, dataclasses.replace(_FIGURE_1, learning_rate=rate), also=("gradients",))


def _digits(recipe=_DIGITS, images=None, **changes):
    return Arm(Digits(**changes), recipe, "digits", images)


def _from_1998_to_today():
    published = {"activation": "scaled_tanh", "table_i": True, "trained_subsampling": True, "prototypes": True}
    changes = (
        ("as published", {}, _STEPS_OF_1998),
        ("C3 sees all maps", {"table_i": False}, _STEPS_OF_1998),
        ("plain averages", {"trained_subsampling": False}, _STEPS_OF_1998),
        ("softmax for prototypes", {"prototypes": False}, _GRADIENT_STEPS),
        ("tanh for scaled tanh", {"activation": "tanh"}, _GRADIENT_STEPS),
        ("ReLU", {"activation": "relu"}, _GRADIENT_STEPS),
        ("AdamW", {}, dataclasses.replace(_PLAIN_DIGITS, epochs=20)),
        ("affine distortions", {}, dataclasses.replace(_DIGITS, epochs=20)),
        ("elastic distortions", {}, dataclasses.replace(_DIGITS, epochs=20, augmentation="elastic_digits")),
    )
    found, fields = {}, published
    for name, change, recipe in changes:
        fields = {**fields, **change}
        found[name] = _digits(recipe, **fields)
    return found


def _in_turn(names):
    """Each arm against the one before it."""
    return tuple(Comparison(after, before) for before, after in itertools.pairwise(names))


_HISTORY = _from_1998_to_today()
_SIZES = (1_000, 5_000, 20_000, 55_000)
_AMOUNTS = {
    f"{images:,} digits, {name}": _digits(dataclasses.replace(recipe, min_images=500_000), images)
    for name, recipe in (("as they are", _PLAIN_DIGITS), ("distorted", _DIGITS))
    for images in _SIZES
}

CLAIMS = {
    "relu": Claim(
        "A network of ReLUs trains six times as fast as one of tanh.",
        f"{_2012}, section 3.1 and figure 1",
        {"ReLU": _figure_1("relu", 0.02), "tanh": _figure_1("tanh", 0.05), "sigmoid": _figure_1("sigmoid", 0.05)},
        (Comparison("ReLU", "tanh", 6.0), Comparison("tanh", "sigmoid")),
        measure="epochs to 25 % training error",
        notes="Assumption: the paper does not describe its four-layer network; three 5×5 convolutions of 32, 32 and 64 "
        "maps, overlapping pooling after each, and the output stand here. As its authors did, each network has a "
        "rate of its own: 0.02 for ReLU, 0.05 for tanh, which of rates from 0.005 to 0.1 had the least training error "
        "after ten epochs of 15,000 pictures; sigmoid learned nothing in them from 0.05 or 0.2. Gradient norms are "
        "relative to the kernel's norm, before the first step.",
        quick_epochs=24,
        picture="training error",
    ),
    "lrn": Claim(
        "Local response normalization takes the error of a small network on CIFAR-10 from 13 % to 11 %; since batch "
        "normalization nobody needs it.",
        f"{_2012}, section 3.3; Ioffe and Szegedy, 2015",
        {
            "none": _small(),
            "local response normalization": _small(normalization="lrn"),
            "batch normalization": _small(normalization="batch"),
        },
        (
            Comparison("local response normalization", "none", 2.0),
            Comparison("batch normalization", "local response normalization"),
        ),
        notes="Pixels are divided by 64 here; alpha is 64² times the paper's, so that maps are normalized as there.",
    ),
    "pooling": Claim(
        "Overlapping pooling lowers the error a little, and overfits a little less.",
        f"{_2012}, section 3.4 (0.4 points of top-1 error)",
        {"3×3, stride 2": _small(), "2×2, stride 2": _small(pool=2)},
        (Comparison("3×3, stride 2", "2×2, stride 2", 0.4),),
    ),
    "dropout": Claim(
        "Dropout lowers the test error, and scaling the outputs stands for the mean of very many sampled networks.",
        f"{_2012}, section 4.2",
        {
            "dropout 0.5": dataclasses.replace(_small(dropout=0.5), also=("sampled",)),
            "no dropout": _small(),
        },
        (Comparison("dropout 0.5", "no dropout"),),
        notes="Against overfitting, of which runs as short as the quick form's show little.",
        picture="sampled",
    ),
    "augmentation": Claim(
        "Crops and mirror images are what made large networks possible; colour noise adds a little.",
        f"{_2012}, section 4.1 (colour noise: over 1 point)",
        {
            "none": Arm(_SMALL, dataclasses.replace(_PICTURES, augmentation="none")),
            "crops, mirrors": _small(),
            "colour noise too": Arm(_SMALL, dataclasses.replace(_PICTURES, colour_noise=0.1)),
        },
        (Comparison("crops, mirrors", "none"), Comparison("colour noise too", "crops, mirrors", 1.0)),
        notes="Varied pictures take longer to learn: see the training errors, of runs as short as the quick form's.",
    ),
    "data": Claim(
        "More data beats everything, and distorted digits stand for more data.",
        f"{_1998}, section III.C",
        _AMOUNTS,
        (
            *_in_turn([f"{images:,} digits, as they are" for images in _SIZES]),
            *(Comparison(f"{n:,} digits, distorted", f"{n:,} digits, as they are") for n in _SIZES),
        ),
        quick_epochs=4,
        quick_images=None,
        picture="amounts",
    ),
    "depth": Claim(
        "Depth matters: without any one of the middle convolutions the error is 2 points higher.",
        f"{_2012}, section 7",
        {
            "five convolutions": _small(),
            **{f"without conv{n}": Arm(_SMALL.without_convolution(n - 1), _PICTURES) for n in (1, 2, 3, 5)},
        },
        tuple(Comparison("five convolutions", f"without conv{n}", 2.0) for n in (1, 2, 3, 5)),
        notes="Without conv4 the network is the same as without conv3.",
    ),
    "kernel": Claim(
        "5×5 was the right size of LeNet-5's convolutions.",
        f"repeated often; {_1998}, section II.B gives no comparison",
        {
            "5×5": _digits(),
            "3×3": _digits(kernel=3, c5=90),
            "7×7": _digits(kernel=7, c5=243),
        },
        (Comparison("5×5", "3×3"), Comparison("5×5", "7×7")),
        notes="C5 has as many maps as make the parameters about equal: 120, 90 and 243.",
        quick_epochs=3,
        quick_images=None,
    ),
    "towers": Claim(
        "Two towers lower the error, and train in a little less time, than one with half as many maps.",
        f"{_2012}, section 3.5 (1.7 points of top-1 error, against one tower of half the maps)",
        {
            "two towers": _small(groups=(1, 2, 1, 2, 2)),
            "one tower of half the maps": _small(filters=(16, 32, 48, 48, 32)),
            "one tower": _small(),
        },
        (Comparison("two towers", "one tower of half the maps", 1.7), Comparison("one tower", "two towers")),
    ),
    "seven": Claim(
        "Several networks averaged beat one: top-5 error 18.2 % of one, 16.4 % of five, 15.3 % of seven.",
        f"{_2012}, section 6 and table 2 (two of the seven had seen more pictures)",
        {"LeNet-5": _digits(), "AlexNet": Arm(Named("cifar10"), recipes.ALEXNET["cifar10"])},
        (),
        seeds=7,
        quick_epochs=4,
        quick_images=10_000,
        picture="averaged",
    ),
    "history": Claim(
        "From 1998 to today each change made LeNet-5 better.",
        "one change at a time; every arm has those above it",
        _HISTORY,
        _in_turn(list(_HISTORY)),
        notes="Twenty epochs each. The rate of gradient steps under softmax, 0.02, is a first guess, not tuned.",
        quick_epochs=3,
        quick_images=10_000,
    ),
}


def parser():
    parser = cli.Parser(prog=PROG, description="Train the networks that test what is said of LeNet and AlexNet.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"claims: {', '.join(CLAIMS)} (default: all; with AlexNet many hours)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer images, epochs and seeds: minutes each, and it says so"
    )
    parser.add_argument(
        "--seeds", type=cli.positive_int, metavar="N", help="how many (default: 3, seven for seven; quick: 2)"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the computation; the page says so (default: %(default)s)",
    )
    parser.add_argument("--digits", type=cli.dataset, default="mnist", metavar="NAME", help="default: %(default)s")
    cli.add_data_dir(parser)
    parser.add_argument(
        "--runs",
        type=cli.path,
        default="saved_models/claims",
        metavar="DIR",
        help="folder of the runs; those already there are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--into",
        type=cli.path,
        default="docs/claims.md",
        metavar="FILE",
        help="the page with a place for each claim; pictures go beside it (default: %(default)s)",
    )
    return parser


def make(args):
    unknown = [name for name in args.names if name not in CLAIMS]
    if unknown:
        raise InputError(f"there is no claim {unknown[0]!r}; expected {', '.join(CLAIMS)}.")
    datasets.check_name(args.digits, datasets.DIGITS[1:])  # "auto" may be another tomorrow
    names = args.names or list(CLAIMS)
    for name in names:
        generated.check(args.into, *marks(name))  # before anything is trained
    runs = files.output_folder(args.runs)
    locks.claim(runs, "runs")
    from train.experiments import page

    for name in names:
        claim = CLAIMS[name]
        found = _runs(name, claim, args, runs)
        verdict = page.verdict(claim, found)
        section = page.section(name, claim, found, verdict, quick=args.quick, into=args.into)
        generated.replace(args.into, *marks(name), section)
        print(f"{name}:\n{verdict}\nWrote it into {args.into}", flush=True)


def _runs(name, claim, args, runs):
    """Arm → its ``Run`` from each seed; seed by seed, so that what is finished early can be compared."""
    seeds = args.seeds or (min(2, claim.seeds) if args.quick and claim.picture != "averaged" else claim.seeds)
    chosen = claim.arms_for(args.quick)
    found = {arm: [] for arm in chosen}
    for seed in range(seeds):
        for arm, what in chosen.items():
            dataset = args.digits if what.data == "digits" else "cifar10"
            places = {"quick": args.quick, "runs": runs, "dataset": dataset, "data_dir": args.data_dir}
            print(f"{name}, {arm}, seed {seed}", flush=True)
            found[arm].append(arms.trained(name, arm, seed, what, precision=args.precision, **places))
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: make(args), PROG)


if __name__ == "__main__":
    main()
