# jax-0.4.35_keras-3.3.3_py3.11_cpu_linux-x86_64
# Rendered by `runner render`; do not edit.
FROM python:3.11-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.11-slim-bookworm
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=framework.txt,target=/build/framework.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/framework.txt
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=company.txt,target=/build/company.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=cache,id=keras-version-matrix-uv,target=/var/cache/uv \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/company.txt
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=keras.txt,target=/build/keras.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=cache,id=keras-version-matrix-uv,target=/var/cache/uv \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/keras.txt

LABEL \
      org.opencontainers.image.title="keras-version-matrix jax-0.4.35_keras-3.3.3_py3.11_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="jax-0.4.35_keras-3.3.3_py3.11_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="jax" \
      org.keras-version-matrix.version="0.4.35" \
      org.keras-version-matrix.keras="3.3.3" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="52b37fcbade67d8a19130044451edf62aea00e5bb1fd8e5a28210f1ce24c11bf" \
      org.keras-version-matrix.template="f05cedf4eb7ec2b40529d97c33d4a023db23165704a468bc0518b488deb906cd" \
      org.keras-version-matrix.content="8f0ddc1b11b6692fd2cd1bd1ff9c1aa13b4ea5fbbfa58b693e83e2ababa11cc4" \
      org.keras-version-matrix.layer="738555465cc8d1b71296ccbb41e0ac23f9e59a2b1b91ed7a48d6410ade1ac45b"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
