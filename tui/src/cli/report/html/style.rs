//! The style sheet: the reader's own fonts, light and dark by the reader's theme, nothing that only colour says.

/// The page's part of it; graphs bring their own.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:1200px;margin:0 auto;padding:16px}\
h1{font-size:24px}h2{font-size:20px;margin-top:40px;border-bottom:1px solid #8884;overflow-wrap:anywhere}h3{font-size:17px}h4{margin:0 0 8px}\
code,pre{font:13px/1.45 ui-monospace,monospace}pre{overflow-x:auto;margin:4px 0;padding:8px 0;background:#8881}\
mark{display:inline-block;min-width:100%;background:#ffd33d55;color:inherit;font-weight:600}\
.finding{border:1px solid #8886;border-left-width:6px;border-radius:6px;padding:4px 16px;margin:16px 0}\
.finding.error{border-left-color:#cf222e}.finding.warning{border-left-color:#bf8700}.finding.note{border-left-color:#0969da}\
.badge{border:1px solid currentColor;border-radius:10px;padding:0 8px;font-size:13px}.facts{opacity:.75}\
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:16px}.side{min-width:0}\
figure{margin:0 0 12px}figcaption{overflow-wrap:anywhere}.note::before{content:'note: ';font-weight:600}\
.help::before{content:'help: ';font-weight:600}.wide{overflow-x:auto}table{border-collapse:collapse}\
th,td{text-align:left;padding:2px 14px 2px 0;border-bottom:1px solid #8883}td.n,th.n{text-align:right}\
.timeline{font:12px ui-monospace,monospace;width:100%;height:auto}.timeline text{fill:currentColor}\
.timeline .lane{fill:#8882}.timeline .hold{fill:#0969da}.timeline .wait{fill:#bc4c00}\
footer{margin-top:48px;opacity:.75}@media print{.finding{break-inside:avoid}}";
