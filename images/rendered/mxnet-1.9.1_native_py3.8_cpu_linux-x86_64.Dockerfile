# mxnet-1.9.1_native_py3.8_cpu_linux-x86_64
# Rendered by `runner render`; do not edit.
FROM python:3.8-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.8-slim-bookworm
LABEL org.keras-version-matrix="image"
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh system libgomp1 libquadmath0
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=framework.txt,target=/build/framework.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/framework.txt

LABEL \
      org.opencontainers.image.title="keras-version-matrix mxnet-1.9.1_native_py3.8_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.8-slim-bookworm" \
      org.keras-version-matrix.environment="mxnet-1.9.1_native_py3.8_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="mxnet" \
      org.keras-version-matrix.version="1.9.1" \
      org.keras-version-matrix.keras="native" \
      org.keras-version-matrix.python="3.8" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="65973a1b06e864e4c04c75ff88351eb2a2f7569354b79772fb2c3b18995e5f68" \
      org.keras-version-matrix.template="f91a89c3917f8432423cfc1725abd215eedaac9a976cd61bb067948d57bdc05e" \
      org.keras-version-matrix.content="f1a9bf7d44750db3837caf2f697bc9f5aca6e6cf9105bedc2100d9a1bc9d580a" \
      org.keras-version-matrix.layer="a4e17829de65fd07785e9a10f42b83affe7c2f0ceefa0338ddde1f2a738e24a4"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
