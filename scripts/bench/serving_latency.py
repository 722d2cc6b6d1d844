#!/usr/bin/env python
"""Latency of a served generator: python docs/bench/serving_latency.py --model dcgan-mnist5k

Asks a running server (scripts/serve.py) for 1 and for 64 images, over gRPC and over REST, and prints the median and the
99th percentile of the time until the answer is there, and images per second. `--clients 8` asks from as many threads;
`--signature serving_default` sends latents of `--latent-dim` numbers, which a server with --enable-batching joins.
"""

import argparse
import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def inputs(arguments, count):
    """What asks for `count` images."""
    if arguments.signature == "serving_default":
        return {"latent": np.random.default_rng().standard_normal((count, arguments.latent_dim), np.float32)}
    return {"seed": np.int64(1), "count": np.int64(count)}


def over_grpc(arguments):
    options = [("grpc.max_receive_message_length", -1)]
    channel = grpc.insecure_channel(f"{arguments.host}:{arguments.grpc_port}", options=options)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def ask(count):
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = arguments.model, arguments.signature
        for name, value in inputs(arguments, count).items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        stub.Predict(request)

    return ask


def over_rest(arguments):
    address = f"http://{arguments.host}:{arguments.rest_port}/v1/models/{arguments.model}:predict"

    def ask(count):
        columns = {name: value.tolist() for name, value in inputs(arguments, count).items()}
        body = {"signature_name": arguments.signature, "inputs": columns}
        urllib.request.urlopen(address, data=json.dumps(body).encode()).read()

    return ask


def timed(ask, count, requests, clients):
    def one(_):
        start = time.perf_counter()
        ask(count)
        return time.perf_counter() - start

    for _ in range(5):
        ask(count)
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = np.array(list(pool.map(one, range(requests))))
    whole = time.perf_counter() - start
    return np.percentile(found, 50) * 1e3, np.percentile(found, 99) * 1e3, requests * count / whole


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--signature", default="png")
    parser.add_argument("--latent-dim", type=int, default=100)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--rest-port", type=int, default=8501)
    parser.add_argument("--grpc-port", type=int, default=8500)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--clients", type=int, default=1)
    arguments = parser.parse_args()
    print("| interface | images | p50, ms | p99, ms | images/s |\n| --- | --- | --- | --- | --- |")
    for name, ask in (("gRPC", over_grpc(arguments)), ("REST", over_rest(arguments))):
        for count in (1, 64):
            p50, p99, speed = timed(ask, count, arguments.requests, arguments.clients)
            print(f"| {name} | {count} | {p50:.1f} | {p99:.1f} | {speed:.0f} |")


if __name__ == "__main__":
    main()
