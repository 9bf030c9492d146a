# torch-2.15.0_native_py3.11_cpu_linux-x86_64
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
      org.opencontainers.image.title="keras-version-matrix torch-2.15.0_native_py3.11_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="torch-2.15.0_native_py3.11_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="torch" \
      org.keras-version-matrix.version="2.15.0" \
      org.keras-version-matrix.keras="native" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="541ef897d399c1de6f9f575c25b07964f1827225282754d7986fa4c208df66d1" \
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="8556957c98eb1f07e7e1249fd7f9d1cbd7cd2da6b03303fafef44cbf3d3c0a62" \
      org.keras-version-matrix.layer="23b3b7ba39cfa58a7fa521b8f819670b415336e89607016aafaf1de6b240feed"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
