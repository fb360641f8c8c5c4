"""Graphs of layers as hls4ml's converters hand them on, to write projects of any layer with."""

import math
from pathlib import Path

import numpy as np

AXES = {
    1: (("width", "left", "right"),),
    2: (("height", "top", "bottom"), ("width", "left", "right")),
}


class Graph:
    """Layers with random weights; every method adds one, and gives its name."""

    def __init__(self):
        self.rng = np.random.default_rng(5)
        self.layers, self.shapes, self.config = [], {}, {}

    def add(self, kind, inputs, shape, *, config=None, **facts):
        name = facts.pop("name", f"{kind.lower()}_{len(self.layers)}")
        given = {"inputs": list(inputs)} if inputs else {}
        known = {"class_name": kind, "name": name, "data_format": "channels_last"}
        self.layers.append({**known, **given, **facts})
        self.shapes[name] = tuple(shape)
        if config:
            self.config[name] = config
        return name

    def weights(self, *shape):
        return self.rng.normal(0, 0.7, shape)

    def size(self, x):
        return math.prod(self.shapes[x])

    def input(self, name, *shape, config=None):
        return self.add("InputLayer", [], shape, name=name, input_shape=list(shape), config=config)

    def dense(self, x, n, **more):
        (*outer, n_in) = self.shapes[x]
        facts = {"weight_data": self.weights(n_in, n), "bias_data": self.weights(n)}
        return self.add("Dense", [x], (*outer, n), n_in=n_in, n_out=n, **facts, **more)

    def activation(self, x, name, layer="Activation", **more):
        layer = "HardActivation" if name.startswith("hard") else layer
        given = {"activation": name, "n_in": self.size(x), **more}
        return self.add(layer, [x], self.shapes[x], **given)

    def softmax(self, x, implementation="stable"):
        config = {"Implementation": implementation}
        return self.activation(x, "softmax", layer="Softmax", axis=-1, config=config)

    def prelu(self, x):
        alpha = self.weights(*self.shapes[x])
        return self.activation(x, "prelu", layer="PReLU", param_data=alpha)

    def norm(self, x):
        n = self.shapes[x][-1]
        facts = {f"{k}_data": self.weights(n) for k in ("gamma", "beta", "mean")}
        facts |= {"variance_data": np.abs(self.weights(n)) + 0.5, "epsilon": 1e-3}
        facts |= {"use_gamma": True, "use_beta": True, "n_in": self.size(x)}
        rank = len(self.shapes[x])
        facts["n_filt"] = n if rank > 1 else -1
        return self.add("BatchNormalization", [x], self.shapes[x], **facts)

    def conv(self, x, window, n, *, stride=1, same=False, kind="Conv", config=None):
        *sizes, channels = self.shapes[x]
        facts = {"n_chan": channels, "n_filt": n, "padding": "same" if same else "valid"}
        out = []
        for size, width, (axis, before, after) in zip(sizes, window, AXES[len(sizes)], strict=True):
            pad = max((-(-size // stride) - 1) * stride + width - size, 0) if same else 0
            out.append((size + pad - width) // stride + 1)
            facts |= {f"in_{axis}": size, f"filt_{axis}": width, f"stride_{axis}": stride}
            facts |= {f"pad_{before}": pad // 2, f"pad_{after}": pad - pad // 2}
            facts[f"out_{axis}"] = out[-1]
        facts["bias_data"] = self.weights(n)
        if kind == "Conv":
            facts["weight_data"] = self.weights(*window, channels, n)
        else:
            facts |= {"depthwise_data": self.weights(*window, channels, 1), "depth_multiplier": 1}
        if kind == "SeparableConv":
            facts["pointwise_data"] = self.weights(*(1 for _ in window), channels, n)
        return self.add(f"{kind}{len(sizes)}D", [x], (*out, n), config=config, **facts)

    def pool(self, x, op, *window, stride=None, config=None):
        *sizes, channels = self.shapes[x]
        steps = window if stride is None else (stride,)
        out = [(s - w) // k + 1 for s, w, k in zip(sizes, window, steps, strict=True)]
        facts = {"n_filt": channels, "padding": "valid", "count_pad": False}
        for size, width, step, n, (axis, before, after) in zip(
            sizes, window, steps, out, AXES[len(sizes)], strict=True
        ):
            facts |= {f"pool_{axis}": width, f"stride_{axis}": step}
            facts |= {f"pad_{before}": 0, f"pad_{after}": 0}
            facts |= {f"in_{axis}": size, f"out_{axis}": n, "n_in": size, "n_out": n}
        kind = f"{op}Pooling{len(sizes)}D"
        return self.add(kind, [x], (*out, channels), config=config, **facts)

    def pool_all(self, x, op):
        *sizes, channels = self.shapes[x]
        facts = {"n_filt": channels, "n_in": sizes[0]}
        facts |= {f"in_{axis}": n for n, (axis, *_) in zip(sizes, AXES[len(sizes)], strict=True)}
        return self.add(f"Global{op}Pooling{len(sizes)}D", [x], (channels,), **facts)

    def merge(self, op, x, y):
        larger = max((x, y), key=self.size)
        return self.add("Merge", [x, y], self.shapes[larger], op=op)

    def concatenate(self, x, y, axis):
        shape = list(self.shapes[x])
        shape[axis] += self.shapes[y][axis]
        op = f"concatenate{len(shape)}d"
        return self.add("Concatenate", [x, y], shape, op=op, axis=axis + 1)

    def framed(self, x, kind, *margins):
        """Padded or cropped: before and after of each axis."""
        *sizes, channels = self.shapes[x]
        what, sign = ("pad", 1) if kind == "ZeroPadding" else ("crop", -1)
        facts, out = {"n_chan": channels}, []
        for k, (size, (axis, before, after)) in enumerate(
            zip(sizes, AXES[len(sizes)], strict=True)
        ):
            first, last = margins[2 * k : 2 * k + 2]
            out.append(size + sign * (first + last))
            facts |= {f"in_{axis}": size, f"out_{axis}": out[-1]}
            facts |= {f"{what}_{before}": first, f"{what}_{after}": last}
        return self.add(f"{kind}{len(sizes)}D", [x], (*out, channels), **facts)

    def enlarged(self, x, *factors):
        *sizes, channels = self.shapes[x]
        out = [n * f for n, f in zip(sizes, factors, strict=True)]
        facts = {"in_height": 1, "out_height": 1, "height_factor": 1, "n_chan": channels}
        for size, n, factor, (axis, *_) in zip(sizes, out, factors, AXES[len(sizes)], strict=True):
            facts |= {f"in_{axis}": size, f"out_{axis}": n, f"{axis}_factor": factor}
        kind = f"UpSampling{len(sizes)}D"
        return self.add(kind, [x], (*out, channels), algorithm="nearest", **facts)

    def transpose(self, x, *perm):
        shape = [self.shapes[x][k] for k in perm]
        return self.add("Transpose", [x], shape, perm=list(perm))

    def reshape(self, x, *shape):
        return self.add("Reshape", [x], shape, target_shape=list(shape))

    def embedding(self, x, rows, n):
        facts = {"vocab_size": rows, "n_in": self.size(x), "n_out": n}
        data = self.weights(rows, n)
        return self.add("Embedding", [x], (*self.shapes[x], n), embeddings_data=data, **facts)

    def recurrent(self, x, kind, n, *, sequences):
        steps, n_in = self.shapes[x]
        gates = {"LSTM": 4, "GRU": 3}[kind] * n
        facts = {"n_timesteps": steps, "n_in": n_in, "n_out": n, "return_sequences": sequences}
        facts |= {"activation": "tanh", "recurrent_activation": "sigmoid", "time_major": False}
        facts |= {"weight_data": self.weights(n_in, gates), "bias_data": self.weights(gates)}
        facts["recurrent_weight_data"] = self.weights(n, gates)
        facts["recurrent_bias_data"] = self.weights(gates)
        facts |= {"pytorch": False, "direction": "forward", "return_state": False}
        if kind == "GRU":
            facts["apply_reset_gate"] = "after"
        return self.add(kind, [x], (steps, n) if sequences else (n,), **facts)

    def garnet(self, x, count, *sizes, collapse, by_count, config=None):
        """A GarNet, or a stack of several: (propagated, aggregators, features out) of each."""
        vertices, features = self.shapes[x]
        facts = {"n_vertices": vertices, "collapse": collapse, "mean_by_nvert": by_count}
        stack, inputs = len(sizes) > 1, [features, *(out for *_, out in sizes)]
        for k, (inner, aggregators, out) in enumerate(sizes):
            place = str(k) if stack else ""
            facts[f"FLR{place}_kernel_data"] = self.weights(inputs[k], inner)
            facts[f"FLR{place}_bias_data"] = self.weights(inner)
            facts[f"S{place}_kernel_data"] = self.weights(inputs[k], aggregators)
            facts[f"S{place}_bias_data"] = self.weights(aggregators)
            facts[f"Fout{place}_kernel_data"] = self.weights(aggregators * inner, out)
            facts[f"Fout{place}_bias_data"] = self.weights(out)
        names = ("n_propagate", "n_aggregators", "n_out_features")
        facts |= dict(zip(names, zip(*sizes, strict=True), strict=True))
        facts |= {"n_in_features": inputs[:-1], "n_sublayers": len(sizes)}
        if not stack:
            facts |= {name: facts[name][0] for name in (*names, "n_in_features")}
        shape = (inputs[-1],) if collapse else (vertices, inputs[-1])
        kind = "GarNetStack" if stack else "GarNet"
        return self.add(kind, [x, count], shape, config=config, **facts)

    def write(self, folder, backend, io_type, *, strategy="Latency", reuse=1, outputs=None):
        """The project, in types that round and saturate."""
        from hls4ml.model.graph import ModelGraph
        from hls4ml.utils.config import create_config

        config = create_config(output_dir=str(folder), project_name="myproject", backend=backend)
        config["IOType"] = io_type
        model = {"Precision": {"default": "fixed<12,5,RND_CONV,SAT>"}}
        model |= {"ReuseFactor": reuse, "Strategy": strategy}
        config["HLSConfig"] = {
            "Model": model,
            "LayerName": {k: dict(v) for k, v in self.config.items()},
        }
        inputs = [x["name"] for x in self.layers if x["class_name"] == "InputLayer"]
        layers = [dict(layer) for layer in self.layers]
        ModelGraph.from_layer_list(config, layers, inputs=inputs, outputs=outputs).write()
        return Path(folder)
