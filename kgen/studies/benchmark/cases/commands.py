"""What a user waits for: the start of a command, its first step, an export, an evaluation."""

from kgen.studies.benchmark.case import ONCE, Case, Contestant, Timing

WAITING = "kgen.studies.benchmark.waiting"


def case(about: str, function: str, timing: Timing, unit: str = "s") -> Case:
    """Returns the case of a function of `kgen.studies.benchmark.waiting`."""
    return Case(about, unit, {"kgen": Contestant(f"{WAITING}:{function}")}, timing)


CASES = {
    "help": case("kgen --help", "help_of_kgen", Timing(5, 0.0, 0.01)),
    "first-step": case("kgen train, until the first step is logged", "first_step", ONCE),
    "input": case("the input pipeline alone, 28 pixels, batch 64", "input_pipeline", Timing(), "images/s"),
    "export": case("the export of DCGAN, 28 pixels", "export", Timing(3, 0.0, 0.01)),
    "evaluation": case("the measures of 10,000 generated images of 28 pixels", "evaluation", ONCE),
    "serving": case("a sample of 64 images from the development server, over REST", "serving", Timing()),
}
