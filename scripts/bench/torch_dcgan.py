"""What a user would pick instead: DCGAN 64x64 in PyTorch, written for speed, to be timed beside kgen.

    python docs/bench/torch_dcgan.py [--batch 64] [--bf16] [--compile] [--steps 600]

Widths 64 to 512, kernels of 4, z 100, batch norm, Adam 2e-4: the networks of kgen's `--model dcgan --image-size 64
--width 64 --kernel-size 4`. Alternating: the discriminator on real and on fake images, then the generator through the
updated discriminator on the same fake images (kgen draws new ones: one generator pass more). The images lie on the
device as bytes. Prints images/s of each sixth of the run; the first holds the warm-up.
"""

import argparse
import time

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy


def networks(width=64, z=100):
    generator = [nn.ConvTranspose2d(z, 8 * width, 4, 1, 0, bias=False), nn.BatchNorm2d(8 * width), nn.ReLU(True)]
    for i in (4, 2, 1):
        generator += [nn.ConvTranspose2d(2 * i * width, i * width, 4, 2, 1, bias=False)]
        generator += [nn.BatchNorm2d(i * width), nn.ReLU(True)]
    generator += [nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh()]
    discriminator = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for i in (1, 2, 4):
        discriminator += [nn.Conv2d(i * width, 2 * i * width, 4, 2, 1, bias=False)]
        discriminator += [nn.BatchNorm2d(2 * i * width), nn.LeakyReLU(0.2, True)]
    discriminator += [nn.Conv2d(8 * width, 1, 4, 1, 0, bias=False), nn.Flatten()]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--batch", type=int, default=64)
    flags.add_argument("--steps", type=int, default=600)
    flags.add_argument("--bf16", action="store_true")
    flags.add_argument("--compile", action="store_true")
    options = flags.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    generator, discriminator = (net.to(device, memory_format=torch.channels_last) for net in networks())
    fused = device == "cuda"
    adam_g = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999), fused=fused)
    adam_d = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999), fused=fused)
    images = torch.randint(0, 256, (2000, 3, 64, 64), dtype=torch.uint8, device=device)
    ones, zeros = torch.ones(options.batch, 1, device=device), torch.zeros(options.batch, 1, device=device)
    make, judge = generator, discriminator
    if options.compile:
        make, judge = torch.compile(generator, dynamic=False), torch.compile(discriminator, dynamic=False)

    def step():
        real = images[torch.randint(0, len(images), (options.batch,), device=device)].float() / 127.5 - 1
        real = real.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16, enabled=options.bf16):
            fake = make(torch.randn(options.batch, 100, 1, 1, device=device))
            loss = cross_entropy(judge(real).float(), ones) + cross_entropy(judge(fake.detach()).float(), zeros)
        adam_d.zero_grad(set_to_none=True)
        loss.backward()
        adam_d.step()
        with torch.autocast(device, torch.bfloat16, enabled=options.bf16):
            loss = cross_entropy(judge(fake).float(), ones)
        adam_g.zero_grad(set_to_none=True)
        loss.backward()
        adam_g.step()

    speeds, part = [], options.steps // 6
    for _ in range(6):
        start = time.perf_counter()
        for _ in range(part):
            step()
        if device == "cuda":
            torch.cuda.synchronize()
        speeds.append(round(part * options.batch / (time.perf_counter() - start), 1))
    print("images_per_second", speeds)


if __name__ == "__main__":
    main()
