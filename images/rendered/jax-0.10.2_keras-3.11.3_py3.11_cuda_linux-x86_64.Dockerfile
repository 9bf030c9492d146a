# jax-0.10.2_keras-3.11.3_py3.11_cuda_linux-x86_64
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
      org.opencontainers.image.title="keras-version-matrix jax-0.10.2_keras-3.11.3_py3.11_cuda_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="jax-0.10.2_keras-3.11.3_py3.11_cuda_linux-x86_64" \
      org.keras-version-matrix.framework="jax" \
      org.keras-version-matrix.version="0.10.2" \
      org.keras-version-matrix.keras="3.11.3" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cuda" \
      org.keras-version-matrix.lock="8563948fa1b8a1269dc01e4ea3424ccc9270448d7321e5668e0e719e50a6a6a0" \
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="20f3647e35375fccad2393ceadd829ff674e47a1c67fa0f0414652d94d7ec889" \
      org.keras-version-matrix.layer="5859e5d1223e299e1d54930456a6d38d3b9d6c1fa988b5ab50e783492bac5c2b"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
