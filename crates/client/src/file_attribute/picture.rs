//! Small pictures of large ones, made of whatever a file claims to hold.

use std::io::{BufRead, Cursor, Seek};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};

/// Side of a thumbnail.
const THUMBNAIL: u32 = 200;
/// Greatest side of a preview.
const PREVIEW: u32 = 1000;
/// Greatest side of what is made small.
const SIDE: u32 = 30_000;
/// Greatest size of a picture in memory, whatever few bytes it comes from.
const MEMORY: u64 = 256 << 20;
/// Larger files are no photographs.
pub(crate) const FILE: u64 = 64 << 20;
const QUALITY: u8 = 85;

/// The names under which there are pictures that can be read.
const EXTENSIONS: [&str; 6] = ["gif", "jfif", "jpeg", "jpg", "png", "webp"];

/// A thumbnail and a preview, both JPEG.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pictures {
    /// The middle of the picture, 200 pixels wide and high, or less if it is smaller.
    pub thumbnail: Vec<u8>,
    /// The whole picture, at most 1000 pixels wide and high.
    pub preview: Vec<u8>,
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (thumbnail, preview) = (self.thumbnail.len(), self.preview.len());
        f.debug_struct("Pictures")
            .field("thumbnail", &thumbnail)
            .field("preview", &preview)
            .finish()
    }
}

/// Whether a file's name says that it holds a picture of which smaller ones can be made: JPEG, PNG, WebP or GIF.
///
/// ```
/// assert!(supermega::is_picture_name("IMG_1234.JPG"));
/// assert!(!supermega::is_picture_name("notes.txt"));
/// ```
#[must_use]
pub fn is_picture_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|text| EXTENSIONS.iter().any(|known| text.eq_ignore_ascii_case(known)))
}

impl Pictures {
    /// Makes them of a picture, the right way up if it says which that is. Nothing if it is none that can be
    /// read, or a larger one than is good for this machine: a side of 30000 pixels, 256 MiB in memory.
    ///
    /// Blocks, for up to a second.
    ///
    /// ```
    /// let mut png = std::io::Cursor::new(Vec::new());
    /// image::RgbImage::new(3000, 1500).write_to(&mut png, image::ImageFormat::Png)?;
    /// png.set_position(0);
    /// let pictures = supermega::Pictures::of(png).expect("a picture");
    /// let preview = image::load_from_memory(&pictures.preview)?;
    /// assert_eq!((preview.width(), preview.height()), (1000, 500));
    /// assert!(supermega::Pictures::of(std::io::Cursor::new(b"no picture")).is_none());
    /// # Ok::<(), image::ImageError>(())
    /// ```
    #[must_use]
    pub fn of(source: impl BufRead + Seek) -> Option<Self> {
        let mut picture = decode(source)?;
        if picture.width().max(picture.height()) > 2 * PREVIEW {
            // Quickly and in little memory, before it is done well.
            picture = picture.thumbnail(2 * PREVIEW, 2 * PREVIEW);
        }
        let picture = flat(&picture);
        let side = THUMBNAIL.min(picture.width()).min(picture.height());
        let thumbnail = picture.resize_to_fill(side, side, FilterType::Triangle);
        let preview = match picture.width().max(picture.height()) > PREVIEW {
            true => picture.resize(PREVIEW, PREVIEW, FilterType::Triangle),
            false => picture,
        };
        Some(Self { thumbnail: jpeg(&thumbnail)?, preview: jpeg(&preview)? })
    }
}

/// Reads a picture, unless it would take more memory than allowed.
fn decode(source: impl BufRead + Seek) -> Option<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::new(source).with_guessed_format().ok()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().ok()?;
    limits.reserve(decoder.total_bytes()).ok()?;
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    (picture.width() > 0 && picture.height() > 0).then_some(picture)
}

/// The picture on white, since JPEG has nothing that is seen through.
fn flat(picture: &DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.to_rgb8());
    }
    let seen = picture.to_rgba8();
    let on_white = RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [red, green, blue, alpha] = seen.get_pixel(x, y).0.map(u16::from);
        let mixed = [red, green, blue].map(|part| (part * alpha + 255 * (255 - alpha)) / 255);
        // None is above 255.
        Rgb(mixed.map(|part| u8::try_from(part).unwrap_or(u8::MAX)))
    });
    DynamicImage::ImageRgb8(on_white)
}

fn jpeg(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY)).ok()?;
    Some(bytes.into_inner())
}
