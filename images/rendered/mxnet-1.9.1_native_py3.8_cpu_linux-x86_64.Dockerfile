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
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="809f9e57603705c778e2b8e860d371122c9a60e8c775e51c2fc41d72045d5406" \
      org.keras-version-matrix.layer="41418a0c5102bcec114e7b8ee53cb7d389e4c2d0397cde307d6354b4cede6dd0"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
