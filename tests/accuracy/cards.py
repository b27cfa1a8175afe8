"""Texts on the screen in many dresses: fonts, sizes, colours, moving, faint. Drawn by ffmpeg."""

import sys

DEJAVU = "/usr/share/fonts/truetype/dejavu/"
LIBERATION = "/usr/share/fonts/truetype/liberation/"
MIDDLE = "x=(w-tw)/2:y=(h-th)/2"
# Colour of the card (none: the film stays behind the text), and how the text is drawn. `T` is the time on the screen.
STYLES = {
    "plain": ("0x101828", f"fontfile={DEJAVU}DejaVuSans-Bold.ttf:fontsize=72:fontcolor=white:{MIDDLE}"),
    "light": ("white", f"fontfile={LIBERATION}LiberationSans-Regular.ttf:fontsize=64:fontcolor=black:{MIDDLE}"),
    "serif": ("0xf5efe0", f"fontfile={DEJAVU}DejaVuSerif.ttf:fontsize=60:fontcolor=0x4a2c1a:{MIDDLE}"),
    "italic": ("0x14532d", f"fontfile={LIBERATION}LiberationSerif-Italic.ttf:fontsize=68:fontcolor=0xfde68a:{MIDDLE}"),
    "mono": ("black", f"fontfile={DEJAVU}DejaVuSansMono.ttf:fontsize=44:fontcolor=0x33ff66:{MIDDLE}"),
    "faint": ("0x4b5563", f"fontfile={LIBERATION}LiberationSans-Regular.ttf:fontsize=64:fontcolor=0x7b8798:{MIDDLE}"),
    "moving": ("0x1e293b", f"fontfile={DEJAVU}DejaVuSans-Bold.ttf:fontsize=64:fontcolor=white:"
                           "x='(w-tw)/2+180*sin(2*T)':y=(h-th)/2"),
    "growing": ("0x3b0764", f"fontfile={DEJAVU}DejaVuSans-Bold.ttf:fontsize='56+16*sin(5*T)':fontcolor=white:{MIDDLE}"),
    "outlined": (None, f"fontfile={LIBERATION}LiberationSans-Bold.ttf:fontsize=56:fontcolor=yellow:"
                       f"borderw=4:bordercolor=black:{MIDDLE}"),
    "caption": (None, f"fontfile={DEJAVU}DejaVuSans-Bold.ttf:fontsize=28:fontcolor=white:"
                      "box=1:boxcolor=black@0.65:boxborderw=10:x=40:y=h-th-40"),
    "small": (None, f"fontfile={LIBERATION}LiberationSans-Regular.ttf:fontsize=20:fontcolor=white:"
                    "box=1:boxcolor=black@0.65:boxborderw=8:x=w-tw-40:y=40"),
}


def filters(shown, folder):
    """What draws (start, end, style, text) over a film."""
    drawn = []
    for number, (start, end, style, text) in enumerate(shown):
        path = folder / f"card{number}.txt"
        path.write_text(text, encoding="utf-8")
        card, dress = STYLES[style]
        when = f"enable='gte(t,{start:.3f})*lt(t,{end:.3f})'"
        if card:
            drawn.append(f"drawbox=color={card}:t=fill:{when}")
        dress = dress.replace("*T)", f"*(t-{start:.3f}))")
        drawn.append(f"drawtext=textfile={path}:expansion=none:{dress}:{when}")
    return drawn


def code(payload, path):
    """A QR code as a PNG with its quiet zone, large enough for a phone held to the screen."""
    try:
        import segno
    except ImportError:
        sys.exit("accuracy: the package segno is missing; run ./justw bench accuracy")
    segno.make(payload, error="m", micro=False).save(str(path), scale=8, border=4)
