"""Table 2 of student report 002: a trained encoder becomes a classifier."""

from kgen.studies.reproduction.numbers import folds
from kgen.studies.reproduction.table import Cell, Command, Table
from kgen.studies.reproduction.tables.autoencoders import TINY

ENCODER = (
    "train --model autoencoder --dataset mnist --channels 32 64 --kernels 5 5 --strides 2 2 --paddings 2 2 --units 128 "
    "--activation silu --distort --anneal --prune-every 0 --encoder-dropout 0 --l2 0 --patience 0 --steps 1880"
)

TABLE = Table(
    50,
    "Fine-tuning",
    "student report 002, section 2.4 and table 2; Hinton and Salakhutdinov 2006",
    before="""
Accuracy on MNIST's test images, means of five folds. The autoencoder has two convolutions, a hidden layer and a code of
6: `--model autoencoder --channels 32 64 --kernels 5 5 --strides 2 2 --paddings 2 2 --units 128 --activation silu
--distort --anneal`, 15 epochs, no pruning, dropout or decay. Then `kgen finetune --distort --anneal --encoder-dropout
0.3 --ema 0.999`:
""",
    columns=("layers that learn", "report", "kgen"),
    rows=(
        ("the classifier", "0.9126", "{encoder[depth-0]:.4f}"),
        ("and the code", "0.9452", "{encoder[depth-1]:.4f}"),
        ("and the hidden layer", "0.9862", "{encoder[depth-2]:.4f}"),
        ("and the last convolution", "0.9874", "{encoder[depth-3]:.4f}"),
    ),
    cells={
        "encoder": Cell(
            (
                Command(ENCODER, TINY),
                Command(
                    "finetune --run {run} --out {folder}/finetune --distort --anneal --encoder-dropout 0.3 --ema 0.999",
                    "--depths 0 1 2 3",
                ),
            ),
            {f"depth-{depth}": folds(f"{{folder}}/finetune/depth-{depth}", "test_accuracy") for depth in range(4)},
        )
    },
    summary=(("fine-tuned encoder, accuracy on MNIST", "0.9874, student report 002", "{encoder[depth-3]:.4f}"),),
)
