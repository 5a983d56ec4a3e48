// The look of the page. No attribute of style anywhere: the page's own policy (Content-Security-Policy) takes this text and nothing else.
import { phases } from "../../broker/permits.ts";
import { traceParties } from "../../ipc/trace.ts";

const lanes = traceParties.length;
const tints = 8;
/** Each phase on a tint of its own. */
const bands = phases
  .map((name, i) => `.ph-${name}{--band:var(--p${i % tints});background:var(--band)}`)
  .join("");
/** `s2 e4`: from the third lane to the fifth. */
const positions = traceParties.map((_, i) => `.s${i}{--s:${i}}.e${i}{--e:${i}}`).join("");

export const style = `
:root{color-scheme:light dark;--sel:#fff;--lane:calc(100%/${lanes});--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5c6675;--faint:#c9d0da;--line:#e3e7ed;
--accent:#2458c5;--answer:#0d7a5f;--order:#7a4bb5;--bad:#b42318;--badsoft:#fdecea;--rootink:#8f3b12;--rootbg:#fdeee2;--userink:#1d6b3a;--userbg:#e5f5ea;
--boxink:#3b4a9c;--boxbg:#e9ecfb;--focus:#1a66ff;--shade:0 1px 3px rgba(20,30,50,.08),0 6px 24px rgba(20,30,50,.07);
--p0:#eef1f6;--p1:#e9f0fb;--p2:#e6f5f1;--p3:#f3eefb;--p4:#fdf4e3;--p5:#fdecea;--p6:#e9f6ea;--p7:#eceef1}
@media(prefers-color-scheme:dark){:root{--sel:#333f52;--page:#10141b;--card:#181e27;--ink:#e6eaf0;--soft:#98a3b3;--faint:#3a4453;--line:#262e3a;
--accent:#7aa5ff;--answer:#4fc7a3;--order:#bd97f2;--bad:#ff8a7d;--badsoft:#3a1d1b;--rootink:#ffb48a;--rootbg:#3b2518;--userink:#86d7a2;--userbg:#17311f;
--boxink:#aab6ff;--boxbg:#232a4a;--focus:#7aa5ff;--shade:0 1px 3px rgba(0,0,0,.4),0 6px 24px rgba(0,0,0,.35);
--p0:#1a2029;--p1:#172234;--p2:#15281f;--p3:#231d33;--p4:#2c2516;--p5:#351c1b;--p6:#172a1b;--p7:#1d2127}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
code,.mono,.time,.size{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.top{padding:20px 24px 12px;max-width:1720px;margin:0 auto}
h1{margin:0;font-size:21px;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
.sub{color:var(--soft);margin:2px 0 0}
.facts{display:flex;flex-wrap:wrap;gap:8px;margin:12px 0 0;padding:0;list-style:none}
.facts li,.pill{border-radius:99px;padding:2px 10px;background:var(--card);border:1px solid var(--line);font-size:12.5px}
.facts .good{color:var(--userink);background:var(--userbg);border-color:transparent}
.facts .bad{color:var(--bad);background:var(--badsoft);border-color:transparent}
nav{display:flex;flex-wrap:wrap;align-items:center;gap:6px 14px;margin-top:12px;color:var(--soft);font-size:13px}
nav a{color:var(--accent);text-decoration:none}nav a:hover{text-decoration:underline}
nav label{margin-left:18px;color:var(--ink);cursor:pointer}
main{display:grid;grid-template-columns:minmax(0,1fr) 372px;gap:20px;max-width:1720px;margin:0 auto;padding:0 24px 40px}
.chart{min-width:0;background:var(--card);border:1px solid var(--line);border-radius:12px;box-shadow:var(--shade)}
.heads{display:grid;grid-template-columns:112px minmax(0,1fr);position:sticky;top:0;z-index:5;background:var(--card);border-bottom:1px solid var(--line);border-radius:12px 12px 0 0}
.heads>span{padding:14px 0 0 14px;color:var(--soft);font-size:11.5px}
.lanes{display:grid;grid-template-columns:repeat(${lanes},minmax(0,1fr))}
.head{display:flex;flex-direction:column;justify-content:flex-start;align-items:center;position:relative;padding:10px 2px 9px;text-align:center;border:0;background:none;font:inherit;color:inherit;cursor:help;border-radius:8px}
.head b{display:block;font-size:13px;font-weight:640;white-space:nowrap}
.head small{display:block;color:var(--soft);font-size:11px;white-space:nowrap}
.head .pill{display:block;width:fit-content;padding:0 8px;font-size:11px;border-color:transparent;margin:3px auto 0;white-space:nowrap}
.root{color:var(--rootink);background:var(--rootbg)}.user{color:var(--userink);background:var(--userbg)}.boxed{color:var(--boxink);background:var(--boxbg)}.none{color:var(--soft);background:var(--p0)}
.head.absent{opacity:.45}
.pop{display:none;position:absolute;top:calc(100% - 4px);left:50%;transform:translateX(-50%);width:330px;text-align:left;padding:12px 14px;background:var(--card);border:1px solid var(--faint);border-radius:10px;box-shadow:var(--shade);z-index:9;white-space:normal;cursor:auto}
.head:nth-child(n+7) .pop{left:auto;right:0;transform:none}.head:nth-child(-n+2) .pop{left:0;transform:none}
.head:hover .pop,.head:focus .pop{display:block}
.pop p{margin:0 0 8px;color:var(--soft);font-size:12.5px}
.pop ul,.detail ul{list-style:none;margin:0;padding:0;font-size:12px}
.pop li,.detail li{display:grid;grid-template-columns:16px 92px 1fr;gap:4px;padding:1px 0}
.pop li span:last-child,.detail li span:last-child{color:var(--soft)}
li>.verified::before{content:"✓";color:var(--answer);font-weight:700}li>.seen::before{content:"✓";color:var(--answer)}li>.claimed::before{content:"○";color:var(--soft)}li>.missing::before{content:"✗";color:var(--bad);font-weight:700}
.band{display:grid;grid-template-columns:30px minmax(0,1fr);border-bottom:1px solid var(--card);scroll-margin-top:104px}
.band:last-child{border-radius:0 0 12px 12px;border-bottom:0}
.band h2{margin:0;font-size:11.5px;font-weight:650;letter-spacing:.04em;color:var(--soft);writing-mode:vertical-rl;transform:rotate(180deg);text-align:right;padding:10px 6px 6px;white-space:nowrap}
.band h2 span{position:sticky;bottom:auto}
${bands}
ol{list-style:none;margin:0;padding:0;min-width:0;position:relative}
ol>li{position:relative}
.row{display:grid;grid-template-columns:82px minmax(0,1fr);width:100%;height:36px;padding:0;border:0;background:none;font:inherit;color:inherit;text-align:left;cursor:pointer}
.row:hover{background:color-mix(in srgb,var(--ink) 4%,transparent)}
li.on>.row{--band:var(--sel);background:var(--sel);box-shadow:inset 3px 0 var(--accent)}
.row:focus-visible,.head:focus-visible,nav a:focus-visible{outline:2px solid var(--focus);outline-offset:-2px;border-radius:4px}
.time{align-self:center;text-align:right;padding-right:10px;font-size:11px;color:var(--soft);white-space:nowrap}
.track{position:relative;height:100%;background:linear-gradient(90deg,transparent calc(50% - .5px),var(--faint) calc(50% - .5px),var(--faint) calc(50% + .5px),transparent calc(50% + .5px)) 0 0/var(--lane) 100%}
.arrow{position:absolute;top:23px;height:0;left:calc((min(var(--s),var(--e)) + .5)*100%/${lanes});width:calc(max(var(--s) - var(--e),var(--e) - var(--s))*100%/${lanes});border-top:2px solid var(--c)}
.arrow::after{content:"";position:absolute;top:-6px;border:5px solid transparent}
.fwd::after{right:-1px;border-left:8px solid var(--c);border-right:0}.back::after{left:-1px;border-right:8px solid var(--c);border-left:0}
.k-request{--c:var(--accent)}.k-answer{--c:var(--answer)}.k-order{--c:var(--order)}.k-wire{--c:var(--soft)}.k-refused{--c:var(--bad)}
.k-wire .arrow{border-top-style:dashed}
.name{position:absolute;bottom:3px;left:50%;transform:translateX(-50%);font-size:12px;font-weight:620;color:var(--c);white-space:nowrap;background:var(--band);padding:0 4px;border-radius:4px}
.gist{position:absolute;top:9px;font-size:11.5px;color:var(--soft);left:calc((max(var(--s),var(--e)) + .5)*100%/${lanes} + 12px);right:8px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.gist i{font-style:normal;unicode-bidi:isolate;background:var(--band);padding:1px 4px;border-radius:4px}
.k-refused .gist{color:var(--bad)}
.dot{position:absolute;top:10px;left:calc((var(--s) + .5)*100%/${lanes} - 8px);width:16px;height:16px;border-radius:50%;background:var(--c);border:3px solid var(--band)}
.dot.ended{border-radius:2px;transform:rotate(45deg) scale(.85)}
.what{position:absolute;top:8px;left:calc((var(--s) + .5)*100%/${lanes} + 12px);font-size:12px;color:var(--soft);white-space:nowrap;background:var(--band);padding:0 4px;border-radius:4px}
.what b{color:var(--ink);font-weight:600}
.s5 .what,.s6 .what,.s7 .what{left:auto;right:calc((${lanes} - .5 - var(--s))*100%/${lanes} + 12px)}
.wired .track::before{z-index:0;content:"";position:absolute;inset:0 auto 0 calc(.5*100%/${lanes});width:calc(100%/${lanes});background:repeating-linear-gradient(135deg,color-mix(in srgb,var(--soft) 22%,transparent) 0 2px,transparent 2px 7px)}
.note{display:grid;grid-template-columns:82px minmax(0,1fr);height:30px;color:var(--soft);font-size:12px}
.note .track{grid-column:2}
.note b{position:absolute;top:3px;left:calc(50% + 41px);transform:translateX(-50%);white-space:nowrap;font-weight:400;background:var(--card);border:1px dashed var(--faint);border-radius:99px;padding:1px 14px;z-index:1}
.note.strong b{border-style:solid;color:var(--ink);font-weight:600}
.side{position:relative}
.panel{position:sticky;top:16px;min-height:240px;max-height:calc(100vh - 32px);background:var(--card);border:1px solid var(--line);border-radius:12px;box-shadow:var(--shade)}
body:has(li.on) .panel,html:not(.js) body:has(li:hover>.detail) .panel{visibility:hidden}
.hint{padding:18px 20px;color:var(--soft)}
.hint kbd{border:1px solid var(--faint);border-bottom-width:2px;border-radius:5px;padding:0 5px;font:12px ui-monospace,monospace;background:var(--page)}
.key{display:grid;grid-template-columns:34px 1fr;gap:5px 10px;align-items:center;margin:14px 0 0;font-size:12.5px}
.key i{display:block;height:0;border-top:2px solid var(--c)}
.detail{display:none;position:fixed;z-index:4;top:16px;right:max(24px,calc((100vw - 1720px)/2 + 24px));width:372px;max-height:calc(100vh - 32px);overflow:auto;padding:16px 20px 18px;background:var(--card);border:1px solid var(--line);border-radius:12px;box-shadow:var(--shade)}
html:not(.js) li:hover>.detail,html:not(.js) .row:focus+.detail,li.on>.detail{display:block}
.detail h3{margin:0;font-size:16px;font-weight:650;overflow-wrap:anywhere}
.route{color:var(--soft);margin:1px 0 10px}
.detail p{margin:0 0 10px}
.why{border-left:3px solid var(--c,var(--accent));background:color-mix(in srgb,var(--c,var(--accent)) 8%,transparent);border-radius:0 8px 8px 0;padding:8px 12px;font-size:13px}
.why b{display:block;font-size:11px;letter-spacing:.05em;text-transform:uppercase;color:var(--soft);font-weight:640}
.refusal{--c:var(--bad);color:var(--bad)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 12px;margin:0 0 12px;font-size:12.5px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;unicode-bidi:isolate}
.detail h4{margin:12px 0 4px;font-size:11px;letter-spacing:.05em;text-transform:uppercase;color:var(--soft);font-weight:640}
.fields{padding-top:2px}.fields dd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}
body:has(#only:checked) li:not(.from-session){display:none}
footer{max-width:1720px;margin:0 auto;padding:0 24px 32px;color:var(--soft);font-size:12.5px}
${positions}
@media(max-width:1180px){main{grid-template-columns:minmax(0,1fr)}.side{display:none}.chart{overflow-x:auto}.heads,.band{min-width:900px}.detail{top:auto;bottom:12px;right:12px;left:12px;width:auto;max-height:42vh}footer{padding-bottom:45vh}}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;
