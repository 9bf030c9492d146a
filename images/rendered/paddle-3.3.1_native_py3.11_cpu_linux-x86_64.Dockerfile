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
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="c85d1ad87b5190df438ec1c47babbbe28181003ce6d5337a4cb4f1763d9a8aa9" \
      org.keras-version-matrix.layer="5b3fdde551e75d479584d9c323c1eb519aebbf63b1acb5dc213d6fb769f2a15e"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
