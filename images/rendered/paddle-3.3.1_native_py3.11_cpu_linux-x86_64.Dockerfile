# paddle-3.3.1_native_py3.11_cpu_linux-x86_64
# Rendered by `runner render`; do not edit.
FROM python:3.11-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.11-slim-bookworm
LABEL org.keras-version-matrix="image"
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh system libgomp1
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=framework.txt,target=/build/framework.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/framework.txt

LABEL \
      org.opencontainers.image.title="keras-version-matrix paddle-3.3.1_native_py3.11_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="paddle-3.3.1_native_py3.11_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="paddle" \
      org.keras-version-matrix.version="3.3.1" \
      org.keras-version-matrix.keras="native" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="0246b8317ccefc14c627ad0271c40c88eb999d67547024574765e9c0351d2417" \
      org.keras-version-matrix.template="f91a89c3917f8432423cfc1725abd215eedaac9a976cd61bb067948d57bdc05e" \
      org.keras-version-matrix.content="035484d6e88557074d94eda2b5f90ee1852904f338ffd05689db7f687f917d39" \
      org.keras-version-matrix.layer="8ee51169336ff1436aad1ff2cdb64cc711426d0a15933e29a669d5bebecd0794"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
