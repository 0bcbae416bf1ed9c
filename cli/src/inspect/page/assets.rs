//! The files of the page. They have no data in them.

use actix_web::{HttpRequest, HttpResponse, http::Method};

const JS: &str = "text/javascript; charset=utf-8";

/// Declares the files: the path, the content type and the content.
macro_rules! files {
    ($($name:literal: $content_type:expr,)+) => {
        const FILES: &[(&str, &str, &str)] = &[
            ("/", "text/html; charset=utf-8", include_str!("assets/index.html")),
            $((concat!("/", $name), $content_type, include_str!(concat!("assets/", $name))),)+
        ];
    };
}

files! {
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "answer.js": JS,
    "api.js": JS,
    "compose.js": JS,
    "detail.js": JS,
    "dialogs.js": JS,
    "dom.js": JS,
    "keys.js": JS,
    "list.js": JS,
    "main.js": JS,
    "store.js": JS,
    "text.js": JS,
    "timeline.js": JS,
}

/// Returns whether a path, as it is written in the request, is that of a file.
pub(super) fn is_file(path: &str) -> bool {
    FILES.iter().any(|(own, ..)| *own == path)
}

/// Answers with a file.
pub(super) fn serve(req: &HttpRequest) -> HttpResponse {
    let file = FILES.iter().find(|(path, ..)| *path == req.path());
    match file {
        Some((_, content_type, content)) if matches!(*req.method(), Method::GET | Method::HEAD) => {
            HttpResponse::Ok()
                .content_type(*content_type)
                .body(*content)
        }
        Some(_) => HttpResponse::MethodNotAllowed().finish(),
        None => HttpResponse::NotFound().body("there is nothing at this path"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_served_and_loads_nothing_from_elsewhere() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/inspect/page/assets");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = if name == "index.html" {
                "/".to_owned()
            } else {
                format!("/{name}")
            };
            assert!(
                FILES.iter().any(|(own, ..)| *own == path),
                "{name} is not served"
            );
        }
        for (path, _, content) in FILES {
            for markup in [
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "eval(",
                "style=",
                "onclick=",
                "@import",
                "url(",
            ] {
                assert!(!content.contains(markup), "{path}: {markup}");
            }
            for scheme in ["http://", "https://"] {
                let known = [
                    "http://www.w3.org/2000/svg",
                    "https://www.twilio.com/docs/api/errors/",
                ];
                let foreign = content
                    .match_indices(scheme)
                    .find(|(at, _)| !known.iter().any(|known| content[*at..].starts_with(known)));
                assert_eq!(foreign, None, "{path}");
            }
        }
    }
}
