"""How fast kgen is, and what others would be on the same machine: `kgen bench`.

A case is what is measured: steps of DCGAN, the start of the command, an evaluation. Its contestants do the same work;
the first is kgen. Each contestant runs in a fresh process, and they take turns: A B C, then C B A.
"""
