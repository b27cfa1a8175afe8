//! What a decoded QR code asks for.

use super::Sign;

/// Who sells, or leads to who sells: shops, catalogues of applications, counters of partners.
const SHOPS: &[&str] = &[
    "wildberries.",
    "wb.ru",
    "ozon.",
    "market.yandex.",
    "megamarket.",
    "aliexpress.",
    "amazon.",
    "lamoda.",
    "mvideo.",
    "dns-shop.",
    "citilink.",
    "detmir.",
    "lavka.yandex.",
    "eda.yandex.",
    "apps.apple.com",
    "itunes.apple.com",
    "play.google.com",
    "rustore.ru",
    "appgallery.huawei.",
    "onelink.me",
    "app.link",
    "adjust.com",
    "appsflyer.",
    "app.adjust.",
    "trk.",
    "go.redav.",
    "etsy.com",
    "ebay.",
    "shop.",
    "store.",
];
/// Fields of an address that count customers.
const FIELDS: &[&str] = &[
    "erid",
    "promo",
    "promocode",
    "coupon",
    "code",
    "discount",
    "ref",
    "referral",
    "partner",
    "aff",
    "affiliate",
];
/// Parts of a path that sell.
const PATHS: &[&str] = &[
    "shop", "store", "buy", "order", "sale", "promo", "product", "products", "catalog", "cart",
    "checkout", "offer", "special",
];

/// `None` for what leads nowhere: a network's password, a visiting card, a ticket.
pub(super) fn sign(payload: &str) -> Option<Sign> {
    let payload = payload.trim().to_lowercase();
    let rest = ["https://", "http://", "www."]
        .iter()
        .find_map(|scheme| payload.strip_prefix(scheme))?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let shop = SHOPS
        .iter()
        .any(|shop| host.starts_with(shop) || host.contains(&format!(".{shop}")) || host == *shop);
    let counted = query
        .split(['&', ';'])
        .filter_map(|field| field.split('=').next())
        .any(|name| FIELDS.contains(&name));
    let sells = path.split('/').any(|part| PATHS.contains(&part));
    Some(if shop || counted || sells {
        Sign::Call
    } else {
        Sign::Link
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_by_where_it_leads() {
        let cases = [
            ("https://www.ozon.ru/product/1", Some(Sign::Call)),
            ("https://example.ru/?x=1&promo=leto", Some(Sign::Call)),
            ("https://example.ru/?utm_source=qr", Some(Sign::Link)),
            ("http://shop.example.com", Some(Sign::Call)),
            ("HTTPS://EXAMPLE.RU/SALE/", Some(Sign::Call)),
            ("https://ru.wikipedia.org/wiki/QR-код", Some(Sign::Link)),
            ("https://t.me/channel", Some(Sign::Link)),
            ("WIFI:T:WPA;S:cafe;P:secret;;", None),
            ("просто текст", None),
            ("", None),
        ];
        for (payload, sign) in cases {
            assert_eq!(super::sign(payload), sign, "{payload}");
        }
    }
}
