#!/usr/bin/env bash
# Installs what a run needs and this machine lacks.
source "$(dirname "$0")/lib.sh"

need_rust
need 'have cc' build-essential -
need 'have ffmpeg && have ffprobe' ffmpeg ffmpeg
need 'have tesseract' tesseract-ocr tesseract
need 'tesseract --list-langs | grep -x rus' tesseract-ocr-rus tesseract-lang
need 'tesseract --list-langs | grep -x eng' tesseract-ocr-eng tesseract
need 'python3 -m pip --version' python3-pip -
need 'have npm' npm node
install_missing
