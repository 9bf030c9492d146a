# torch-1.13.1_native_py3.11_cpu_linux-x86_64
# Rendered by `runner render`; do not edit.
FROM python:3.11-slim-bookworm AS tools
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=uv.txt,target=/build/uv.txt \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh tools /tools

FROM python:3.11-slim-bookworm
LABEL org.keras-version-matrix="image"
RUN --mount=type=bind,source=install.sh,target=/build/install.sh \
    --mount=type=bind,source=framework.txt,target=/build/framework.txt \
    --mount=type=bind,from=tools,source=/tools,target=/tools \
    --mount=type=secret,id=network --mount=type=secret,id=certificates \
    sh /build/install.sh packages /tools /build/framework.txt

LABEL \
      org.opencontainers.image.title="keras-version-matrix torch-1.13.1_native_py3.11_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="torch-1.13.1_native_py3.11_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="torch" \
      org.keras-version-matrix.version="1.13.1" \
      org.keras-version-matrix.keras="native" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="523c900618939098e3b04e3cd1dccd81cea5c4f1df7fcec8b8994981d3dc2f2f" \
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="05ba36324ffcae269a0a785f21e971e4cb4e75c4a3b8154c932a7822f270cd45" \
      org.keras-version-matrix.layer="ac2b7a4c09da5a3dde544b5abf94779d7d432cf8ddab99b2891f454877cebab7"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
