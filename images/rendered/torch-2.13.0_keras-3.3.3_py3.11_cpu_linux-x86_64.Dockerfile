# torch-2.13.0_keras-3.3.3_py3.11_cpu_linux-x86_64
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
      org.opencontainers.image.title="keras-version-matrix torch-2.13.0_keras-3.3.3_py3.11_cpu_linux-x86_64" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm" \
      org.keras-version-matrix.environment="torch-2.13.0_keras-3.3.3_py3.11_cpu_linux-x86_64" \
      org.keras-version-matrix.framework="torch" \
      org.keras-version-matrix.version="2.13.0" \
      org.keras-version-matrix.keras="3.3.3" \
      org.keras-version-matrix.python="3.11" \
      org.keras-version-matrix.build="cpu" \
      org.keras-version-matrix.lock="9917fd81e8382ccc3324d2bae80ef610ffbb6aeb3960cec39ed8ecb4fe6e8439" \
      org.keras-version-matrix.template="0cf40f118f077491dd281dffb51e606e2c16ebbed718f3604c58e407ad5dc96b" \
      org.keras-version-matrix.content="b01a822a338448db0d8751a40468e5719e5089668138444d1b67c0532691fbc9" \
      org.keras-version-matrix.layer="6bd01b81d9243f45bf59c4d09e045c64569ac0a533d9c9dd352fffd8e604a7bd"
ENV HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
