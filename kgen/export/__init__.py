from kgen import backend

backend.load()  # before tensorflow_serving does, which the files of this folder import
