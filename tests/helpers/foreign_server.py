"""KServe with an export behind it, in a process without kgen: python foreign_server.py EXPORT NAME PORT"""

import sys

import kserve
import tensorflow as tf


class Export(kserve.Model):
    """A SavedModel that answers KServe's V1 protocol: the rows of `instances` are inputs by their names."""

    def __init__(self, name, path):
        super().__init__(name)
        self.loaded = tf.saved_model.load(path)
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        function = self.loaded.signatures[payload.get("signature_name", "serving_default")]
        specs, rows = function.structured_input_signature[1], payload["instances"]
        columns = {key: [row[key] if isinstance(row, dict) else row for row in rows] for key in specs}
        answers = function(**{key: tf.constant(columns[key], spec.dtype) for key, spec in specs.items()})
        values = {key: value.numpy().tolist() for key, value in answers.items()}
        if len(values) == 1:
            return {"predictions": next(iter(values.values()))}
        return {"predictions": [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]}


if __name__ == "__main__":
    sys.modules["kgen"] = None  # an import of it fails
    path, name, port = sys.argv[1:]
    kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1).start([Export(name, path)])
