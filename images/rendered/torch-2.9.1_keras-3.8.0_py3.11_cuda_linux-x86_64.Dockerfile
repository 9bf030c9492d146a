# torch-2.9.1_keras-3.8.0_py3.11_cuda_linux-x86_64
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
      org.opencontainers.image.title="keras-version-matrix torch-2.9.1_keras-3.8.0_py3.11_cuda_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="torch-2.9.1_keras-3.8.0_py3.11_cuda_linux-x86_64" \
      org.keras-version-matrix.framework="torch" \
      org.keras-version-matrix.version="2.9.1" \
      org.keras-version-matrix.keras="3.8.0" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cuda" \
      org.keras-version-matrix.lock="02e1c161e9ef64028e2ce2ac106d3ce1bfb7a4b0f54bfae97b874ee3437c88ff" \
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="4cafb2e774fa4d69608c06570db65f8c827f928f16e56de00becbc72b40e51d8" \
      org.keras-version-matrix.layer="2faf863c9165397965fcf499ea1c0846a1d2f491d81f8e09ec68209ee77633ac"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
