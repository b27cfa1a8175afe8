//! Why a video is not checked, said to a person: what is wrong and what to do, in one sentence.

use serde::{Deserialize, Serialize};

use crate::Lang;

/// A final reason, stored with the video and rendered in the reader's language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// Zero bytes.
    Empty,
    /// The first bytes are no known container.
    NotAVideo,
    /// The name's ending is not among `ALLOWED_VIDEO_FORMATS`.
    FormatNotAllowed {
        /// What was given, without the dot.
        given: String,
        /// What is accepted.
        allowed: Vec<String>,
    },
    /// Over `MAX_VIDEO_FILE_SIZE`.
    TooLarge {
        /// Bytes of the file.
        bytes: u64,
        /// Most that is accepted.
        limit: u64,
    },
    /// Over `MAX_VIDEO_DURATION`.
    TooLong {
        /// Seconds measured.
        seconds: u64,
        /// Most that is accepted.
        limit: u64,
    },
    /// The stored object differs from what was announced.
    SizeDiffers {
        /// Bytes announced.
        declared: u64,
        /// Bytes stored.
        stored: u64,
    },
    /// The stored bytes have another SHA-256 than was announced.
    ChecksumDiffers,
    /// Sound only.
    NoPicture,
    /// A container without streams, or one that points elsewhere.
    NoStreams,
    /// A codec outside the list.
    UnsupportedCodec {
        /// As the file names it.
        codec: String,
    },
    /// Cut off or broken so that it cannot be read to its end.
    Damaged,
    /// Protected by DRM.
    Encrypted,
    /// The decoder died twice on it.
    CrashesDecoder,
    /// More pixels than is accepted.
    TooManyPixels,
    /// A file that makes the decoder use too much time or memory.
    TooExpensive,
    /// Attempts are used up; an administrator has been told.
    Internal,
}

impl Refusal {
    /// Whether these bytes will be refused whenever they come, whatever the limits are then.
    pub fn is_about_the_file(&self) -> bool {
        match self {
            Self::Empty
            | Self::NotAVideo
            | Self::NoPicture
            | Self::NoStreams
            | Self::UnsupportedCodec { .. }
            | Self::Damaged
            | Self::Encrypted
            | Self::CrashesDecoder
            | Self::TooManyPixels
            | Self::TooExpensive => true,
            Self::FormatNotAllowed { .. }
            | Self::TooLarge { .. }
            | Self::TooLong { .. }
            | Self::SizeDiffers { .. }
            | Self::ChecksumDiffers
            | Self::Internal => false,
        }
    }

    /// A stable code for programs.
    pub fn code(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["code"].as_str().unwrap_or("internal").to_owned()
    }

    /// One sentence for a person.
    pub fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Ru => self.russian(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Empty => "The file is empty (0 bytes): export it again and upload the new copy.".into(),
            Self::NotAVideo => "This is not a video file, whatever its name says: upload an MP4, MOV, MKV, WebM or AVI.".into(),
            Self::FormatNotAllowed { given, allowed } => {
                format!("Files of type “{given}” are not accepted: use {}.", allowed.join(", "))
            }
            Self::TooLarge { bytes, limit } => format!(
                "The file is {} and the limit is {}: export it with a lower bit rate or in parts.",
                size(*bytes), size(*limit)
            ),
            Self::TooLong { seconds, limit } => format!(
                "The video lasts {} and the limit is {}: split it and upload the parts.",
                clock(*seconds), clock(*limit)
            ),
            Self::SizeDiffers { declared, stored } => format!(
                "{stored} bytes arrived but {declared} were announced: upload the file again."
            ),
            Self::ChecksumDiffers => "The file was damaged on its way: its checksum differs from the one announced, upload it again.".into(),
            Self::NoPicture => "The file has sound but no picture: upload the video itself.".into(),
            Self::NoStreams => "The file holds no picture or sound of its own: export it as one self-contained file.".into(),
            Self::UnsupportedCodec { codec } => format!(
                "The codec “{codec}” is not supported: export the video as H.264, H.265, VP9 or AV1."
            ),
            Self::Damaged => "The file is damaged or cut off: export it again and upload the new copy.".into(),
            Self::Encrypted => "The file is encrypted (DRM): upload a copy without protection.".into(),
            Self::CrashesDecoder => "The file makes the decoder crash: export it again with ordinary settings.".into(),
            Self::TooManyPixels => "The picture is larger than 8K: export it at 3840×2160 or less.".into(),
            Self::TooExpensive => "Decoding this file takes far more time or memory than its length allows: export it again with ordinary settings.".into(),
            Self::Internal => "The check could not be finished through a fault of ours: nothing is lost, retry it or contact support.".into(),
        }
    }

    fn russian(&self) -> String {
        match self {
            Self::Empty => "Файл пуст (0 байт): экспортируйте видео заново и загрузите новую копию.".into(),
            Self::NotAVideo => "Это не видеофайл, хотя имя говорит иное: загрузите MP4, MOV, MKV, WebM или AVI.".into(),
            Self::FormatNotAllowed { given, allowed } => {
                format!("Файлы типа «{given}» не принимаются: используйте {}.", allowed.join(", "))
            }
            Self::TooLarge { bytes, limit } => format!(
                "Размер файла {}, а предел {}: уменьшите битрейт или загрузите видео по частям.",
                size(*bytes), size(*limit)
            ),
            Self::TooLong { seconds, limit } => format!(
                "Видео длится {}, а предел {}: разделите его и загрузите части.",
                clock(*seconds), clock(*limit)
            ),
            Self::SizeDiffers { declared, stored } => format!(
                "Пришло байт: {stored}, а заявлено {declared}: загрузите файл ещё раз."
            ),
            Self::ChecksumDiffers => "Файл повредился при загрузке: его контрольная сумма не совпала с заявленной, загрузите его ещё раз.".into(),
            Self::NoPicture => "В файле есть звук, но нет изображения: загрузите само видео.".into(),
            Self::NoStreams => "В файле нет собственных изображения и звука: экспортируйте его одним самостоятельным файлом.".into(),
            Self::UnsupportedCodec { codec } => format!(
                "Кодек «{codec}» не поддерживается: экспортируйте видео в H.264, H.265, VP9 или AV1."
            ),
            Self::Damaged => "Файл повреждён или обрезан: экспортируйте его заново и загрузите новую копию.".into(),
            Self::Encrypted => "Файл зашифрован (DRM): загрузите копию без защиты.".into(),
            Self::CrashesDecoder => "На этом файле падает декодер: экспортируйте видео заново с обычными настройками.".into(),
            Self::TooManyPixels => "Кадр больше 8K: экспортируйте видео в 3840×2160 или меньше.".into(),
            Self::TooExpensive => "Декодирование требует намного больше времени или памяти, чем положено такой длине: экспортируйте видео заново с обычными настройками.".into(),
            Self::Internal => "Проверку не удалось закончить по нашей вине: ничего не потеряно, повторите её или напишите в поддержку.".into(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn size(bytes: u64) -> String {
    let mib = bytes as f64 / 1_048_576.0;
    if mib >= 1024.0 {
        format!("{:.2} GiB", mib / 1024.0)
    } else {
        format!("{mib:.1} MiB")
    }
}

fn clock(seconds: u64) -> String {
    format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
