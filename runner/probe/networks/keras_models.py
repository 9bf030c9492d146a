"""Builds the networks as Keras models."""


def sequential(keras, described, shape):
    """Returns the Keras model of a list of layers, as logits.

    The list is as in ``networks``, without branches.
    """
    layers = keras.layers
    return keras.Sequential([keras.Input(shape), *(keras_layer(layers, layer) for layer in described)])


def keras_layer(layers, layer):
    """Returns the Keras layer of one description."""
    name = layer[0]
    if name == "conv":
        return layers.Conv2D(layer[1], layer[2], activation=layer[3])
    if name == "dense":
        return layers.Dense(layer[1], activation=layer[2])
    makers = {
        "pool": layers.MaxPooling2D,
        "flatten": layers.Flatten,
        "dropout": layers.Dropout,
        "embedding": layers.Embedding,
        "lstm": layers.LSTM,
    }
    return makers[name](*layer[1:])


def transformer(keras, described, shape):
    """Returns the Keras model of one encoder block, and a dense layer on the mean.

    Source: Vaswani et al., arXiv:1706.03762.
    """
    layers, heads = keras.layers, described[0][1]
    inputs = keras.Input(shape)
    attended = layers.MultiHeadAttention(num_heads=heads, key_dim=shape[-1] // heads)(inputs, inputs)
    x = layers.LayerNormalization()(layers.Add()([inputs, attended]))
    hidden = layers.Dense(4 * shape[-1], activation="relu")(x)
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dense(shape[-1])(hidden)]))
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))
