"""Holds the networks in plain PyTorch: modules, autograd, ``torch.optim.Adam``."""

from __future__ import annotations

import torch

from . import ADAM, ENCODER_WEIGHTS, NORM_EPSILON, channels_last, laid_out


class Model:
    """The network as ``networks.model`` describes it."""

    def __init__(self, backend, layers, weights, loss, rate, seed):
        torch.manual_seed(seed)
        self._backend = backend
        self._net = Net(layers, [torch.from_numpy(w) for w in weights]).to(backend.device)
        self._loss = torch.nn.CrossEntropyLoss() if loss == "crossentropy" else torch.nn.MSELoss()
        self._labels = loss == "crossentropy"
        trained = [p for p in self._net.parameters() if p.requires_grad]
        self.parameters = sum(p.numel() for p in trained)
        self._adam = torch.optim.Adam(trained, lr=rate, betas=(ADAM["beta_1"], ADAM["beta_2"]), eps=ADAM["epsilon"])
        self._steps = 0

    def step(self, x, y):
        self._net.train()
        self._steps += 1
        # PyTorch adds its epsilon after the correction of the bias, Keras before
        self._adam.param_groups[0]["eps"] = ADAM["epsilon"] / (1 - ADAM["beta_2"] ** self._steps) ** 0.5
        self._adam.zero_grad(set_to_none=True)
        target = self._backend.tensor(y)
        loss = self._loss(self._net(self._inputs(x)), target.long() if self._labels else target)
        loss.backward()
        self._adam.step()
        return loss.detach()

    def outputs(self, x):
        self._net.eval()
        with torch.no_grad():
            return self._net(self._inputs(x)).cpu().numpy()

    def weights(self):
        """Returns the weights in Keras's layout."""
        return [w.detach().cpu().numpy() for w in self._net.exported()]

    def _inputs(self, x):
        return tuple(self._backend.tensor(part) for part in x) if isinstance(x, tuple) else self._backend.tensor(x)


class Net(torch.nn.Module):
    """The layers one after the other. ``weights`` is consumed from its front."""

    def __init__(self, layers, weights):
        super().__init__()
        self._exports = []
        modules = []
        for layer in layers:
            name = layer[0]
            if name == "branches":
                self.branches = torch.nn.ModuleList(Net(branch, weights) for branch in layer[1:])
            elif name == "conv":
                modules.append(self._conv(layer, weights.pop(0), weights.pop(0)))
            elif name == "pool":
                modules.append(torch.nn.MaxPool2d(2))
            elif name == "flatten":
                modules.append(Flatten())
            elif name == "dense":
                modules.append(self._dense(weights.pop(0), weights.pop(0)))
            elif name == "dropout":
                modules.append(torch.nn.Dropout(layer[1]))
            elif name == "embedding":
                modules.append(self._embedding(weights.pop(0)))
            elif name == "lstm":
                modules.append(self._lstm(weights.pop(0), weights.pop(0), weights.pop(0)))
            elif name in ("encoder", "mean"):
                modules.append(Mean() if name == "mean" else self._encoder(weights))
            if layer[-1] == "relu":
                modules.append(torch.nn.ReLU())
        self.images = layers[0][0] == "conv"
        self.rest = torch.nn.Sequential(*modules)

    def forward(self, x):
        if hasattr(self, "branches"):
            x = torch.cat([branch(part) for branch, part in zip(self.branches, x)], -1)
        elif self.images:
            x = x.permute(0, 3, 1, 2)
        return self.rest(x)

    def exported(self):
        """Returns the weights in Keras's order and layout."""
        inner = [w for branch in getattr(self, "branches", ()) for w in branch.exported()]
        return inner + [weight.permute(order) for weight, order in self._exports]

    def _fill(self, pairs):
        for parameter, array, order in pairs:
            with torch.no_grad():
                parameter.copy_(array.permute(_inverse(order)))
            self._exports.append((parameter, order))

    def _conv(self, layer, kernel, bias):
        made = torch.nn.Conv2d(kernel.shape[2], layer[1], layer[2])
        self._fill([(made.weight, kernel, (2, 3, 1, 0)), (made.bias, bias, (0,))])
        return made

    def _dense(self, kernel, bias):
        made = torch.nn.Linear(*kernel.shape)
        self._fill([(made.weight, kernel, (1, 0)), (made.bias, bias, (0,))])
        return made

    def _embedding(self, table):
        made = torch.nn.Embedding(*table.shape)
        self._fill([(made.weight, table, (0, 1))])
        return made

    def _lstm(self, kernel, recurrent, bias):
        made = LastOutput(kernel.shape[0], recurrent.shape[0])
        inner = made.lstm
        self._fill(
            [
                (inner.weight_ih_l0, kernel, (1, 0)),
                (inner.weight_hh_l0, recurrent, (1, 0)),
                (inner.bias_ih_l0, bias, (0,)),
            ]
        )
        inner.bias_hh_l0.requires_grad_(False).zero_()  # Keras has one bias; two would learn twice as fast
        return made

    def _encoder(self, weights):
        made = Encoder([weights.pop(0) for _ in range(ENCODER_WEIGHTS)])
        self._exports += [(weight, tuple(range(weight.ndim))) for weight in made.weights]
        return made


def _inverse(order):
    return [order.index(i) for i in range(len(order))]


class Flatten(torch.nn.Module):
    """Flattens images, with the channels last as in Keras."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class LastOutput(torch.nn.Module):
    """An LSTM's output at the last step."""

    def __init__(self, features, units):
        super().__init__()
        self.lstm = torch.nn.LSTM(features, units, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


class Mean(torch.nn.Module):
    """Computes the mean over the steps."""

    def forward(self, x):
        return x.mean(1)


class Encoder(torch.nn.Module):
    """A transformer's block; its weights as ``networks`` lists them."""

    def __init__(self, arrays):
        super().__init__()
        self.weights = torch.nn.ParameterList([torch.nn.Parameter(array.clone()) for array in arrays])

    def forward(self, x):
        w = self.weights
        query, key, value = (torch.einsum("btd,dhk->bhtk", x, w[i]) + w[i + 1][:, None] for i in (0, 2, 4))
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        mixed = torch.softmax(scores, -1) @ value
        x = self._normalized(x + torch.einsum("bhqk,hkd->bqd", mixed, w[6]) + w[7], w[8], w[9])
        inner = torch.relu(x @ w[10] + w[11]) @ w[12] + w[13]
        return self._normalized(x + inner, w[14], w[15])

    def _normalized(self, x, gain, offset):
        return torch.nn.functional.layer_norm(x, x.shape[-1:], gain, offset, NORM_EPSILON)


def convolution(backend, x, w, geometry):
    """Returns a convolution, as ``conv2d.convolution.prepare`` describes it."""
    functional = backend.lib.nn.functional
    x, w = backend.tensor(laid_out(x, geometry)), backend.tensor(w).permute(3, 2, 0, 1).contiguous()
    if geometry.layout == "channels_last":
        x = x.permute(0, 3, 1, 2)  # a view: PyTorch's channels_last memory format
    (above, below), (left, right) = geometry.pads
    symmetric = above == below and left == right

    def compute():
        padded = x if symmetric else functional.pad(x, (left, right, above, below))
        return functional.conv2d(
            padded,
            w,
            stride=geometry.strides,
            padding=(above, left) if symmetric else 0,
            dilation=geometry.dilation,
            groups=geometry.groups,
        )

    return compute, channels_last(backend, first=True)
