"use strict";
// The queue and the open case stay current; a new case sounds and shows in the title. Everything is shown as text.
(function () {
  var page = document.body.dataset, state = document.getElementById("state"), known = null, last = null;
  var drawn = {}, translated = {}, all = false, busy = false;

  function part(tag, text, kind) {
    var made = document.createElement(tag);
    if (text) { made.textContent = text; }
    if (kind) { made.className = kind; }
    return made;
  }
  function lost(yes) { state.hidden = !yes; state.textContent = yes ? page.lost : ""; }

  function since(iso) { return span((Date.now() - Date.parse(iso)) / 1000); }
  function span(seconds) {
    seconds = Math.max(0, Math.floor(seconds));
    var minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
    return (hours ? hours + ":" + ("0" + minutes % 60).slice(-2) : minutes) + ":" + ("0" + seconds % 60).slice(-2);
  }
  function tick() {
    document.querySelectorAll("time:not(.at)").forEach(function (time) {
      var left = Date.parse(time.dateTime) - Date.now();
      if (!time.classList.contains("until")) { time.textContent = since(time.dateTime); return; }
      time.textContent = left > 0 ? span(left / 1000) : time.dataset.over || page.over;
      time.parentNode.classList.toggle("over", left <= 0);
    });
  }

  function shown(item) {
    var form = document.getElementById("filter"), whose = form.whose.value;
    return (!form.channel.value || item.channel === form.channel.value) &&
      (!form.state.value || item.district.split(":")[0] === form.state.value) && (!form.minor.checked || item.minor) &&
      item.found_by.indexOf(form.words.value.trim().toLowerCase()) >= 0 && (!form.kind.value || item.kind_id === form.kind.value) && (!form.locale.value || item.locale === form.locale.value) &&
      (whose !== "mine" || item.mine) && (whose !== "unclaimed" || !item.owner) && (!form.overdue.checked || item.overdue);
  }
  function pick(row, item, ticked) {
    var label = part("label", "", "pick"), box = part("input");
    box.type = "checkbox";
    box.name = "cases";
    box.value = item.id;
    box.checked = ticked;
    label.appendChild(box);
    label.appendChild(part("span", page.tick + " " + item.kind + " " + item.id, "unseen"));
    row.appendChild(label);
  }

  function queue(cases) {
    var list = document.getElementById("queue"), waiting = 0, seen = cases.filter(shown), left = document.getElementById("hidden");
    var ticked = [].map.call(list.querySelectorAll("input:checked"), function (box) { return box.value; });
    var focus = list.contains(document.activeElement) ? document.activeElement : null, row = focus && focus.closest("li");
    var kept = row ? { id: row.dataset.id, tag: focus.tagName.toLowerCase() } : null, marked = list.querySelector("li.here");
    left.hidden = seen.length === cases.length;
    left.querySelector("b").textContent = cases.length - seen.length;
    list.textContent = "";
    cases.forEach(function (item) { if (!item.owner) { waiting += 1; } });
    seen.forEach(function (item) {
      var row = part("li", "", "p" + item.priority + (item.owner ? "" : " unclaimed")), link = part("a"), small = part("small");
      row.dataset.id = item.id;
      if (marked && marked.dataset.id === item.id) { row.classList.add("here"); }
      if (item.pick) { pick(row, item, ticked.indexOf(item.id) >= 0); }
      link.href = "/console/cases/" + encodeURIComponent(item.id);
      link.appendChild(part("b", item.kind));
      link.appendChild(document.createTextNode(" "));
      link.appendChild(part("span", item.reason));
      small.appendChild(part("strong", item.urgency));
      small.appendChild(document.createTextNode(" · "));
      if (item.owner) { small.appendChild(document.createTextNode(page.with + " " + item.owner)); } else {
        var time = part("time");
        time.dateTime = item.waiting_since;
        small.appendChild(document.createTextNode(page.wait + " "));
        small.appendChild(time);
      }
      small.appendChild(document.createTextNode([" ", item.locale, item.channel, item.place].filter(Boolean).join(" · ")));
      [[item.minor, page.minor], [item.silent, page.silent], [item.overdue, page.overdue]].forEach(function (flag) {
        if (flag[0]) { small.appendChild(document.createTextNode(" · ")); small.appendChild(part("em", flag[1])); }
      });
      if (item.due && !item.overdue) {
        var until = part("time", "", "until");
        until.dateTime = item.due;
        small.appendChild(document.createTextNode(" · " + page.due + " "));
        small.appendChild(until);
      }
      if (item.unseen) { small.appendChild(document.createTextNode(" · " + item.unseen + " " + page.unread)); }
      small.appendChild(document.createTextNode(" · " + item.id));
      link.appendChild(small);
      row.appendChild(link);
      list.appendChild(row);
    });
    if (kept) {
      [].forEach.call(list.children, function (row) { if (row.dataset.id === kept.id && row.querySelector(kept.tag)) { row.querySelector(kept.tag).focus(); } });
    }
    last = cases;
    if (!cases.length) { list.appendChild(part("li", page.empty, "none")); }
    var now = {};
    cases.forEach(function (item) { now[item.id] = item.raised; });
    var fresh = known && cases.some(function (item) { return known[item.id] === undefined || known[item.id] < item.raised; });
    window.bell.hear(cases);
    known = now;
    document.title = (waiting ? "(" + waiting + ") " : "") + (fresh ? page.new + " · " : "") + page.title;
    tick();
  }

  function attached(row, line) {
    var address = "/console/cases/" + encodeURIComponent(page.case) + "/media/" + encodeURIComponent(line.id), made;
    if (line.file === "sound") {
      made = part("audio");
      made.controls = true;
      made.preload = "none";
      made.src = address;
    } else if (line.file) {
      made = part("a", line.file === "picture" ? page.picture : page.file);
      made.href = line.file === "picture" ? address : "#files";
      if (line.file === "picture") { made.target = "_blank"; made.rel = "noopener"; }
      row.appendChild(document.createTextNode(" "));
    } else { return; }
    row.appendChild(made);
  }

  function local(time) {
    var at = new Date(time.dateTime), clock = at.toLocaleTimeString("en-GB");
    time.textContent = at.toDateString() === new Date().toDateString() ? clock : at.toLocaleDateString("en-GB") + " " + clock;
    return time;
  }

  function machine(row) {
    var words = translated[row.dataset.id], old = row.querySelector(".machine");
    if (old) { old.remove(); }
    if (words === undefined) { return; }
    var made = part("p", words ? page.machine + "\n" + words : page.failed, "machine"), button = row.querySelector("button");
    made.dir = "auto";
    made.lang = page.ours;
    row.appendChild(made);
    if (button) { button.remove(); }
  }

  function built(line) {
    var kind = line.who === "person" ? "person" : line.who === "bot" ? "bot" : "human", row = part("li", "", kind + (line.failed ? " failed" : ""));
    var who = (kind === "person" ? page.person : kind === "bot" ? page.bot : line.who) + (line.via ? " (" + line.via + ")" : "");
    var small = part("small", who + " · "), time = part("time", "", "at"), text = part("bdi", line.text || (kind === "person" ? line.choices.join(" ") : ""));
    row.dataset.id = line.id;
    row.dataset.via = line.via;
    time.dateTime = line.at;
    small.appendChild(local(time));
    small.appendChild(document.createTextNode(["", line.state, line.how, line.template].filter(function (word, at) { return !at || word; }).join(" · ")));
    row.appendChild(small);
    text.dir = "auto";
    text.lang = line.lang;
    row.appendChild(text);
    if (line.why) { row.appendChild(part("strong", line.why, "why")); }
    if (kind === "person") {
      attached(row, line);
      if (page.translate && text.textContent && line.carrier !== "location") {
        var button = part("button", page.translate, "quiet");
        button.type = "button";
        button.addEventListener("click", function () { translate(row); });
        row.appendChild(button);
      }
      machine(row);
    }
    return row;
  }

  // Only what has changed is drawn anew: a voice note goes on playing, and what is marked or focused stays so.
  function lines(found) {
    var list = document.getElementById("lines"), bottom = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    var rows = {}, there = {};
    [].forEach.call(list.children, function (row) { rows[row.dataset.id] = row; });
    found.forEach(function (line, at) {
      var now = JSON.stringify(line), row = rows[line.id];
      there[line.id] = true;
      if (!row || drawn[line.id] !== now) {
        var made = built(line);
        if (row) { row.replaceWith(made); }
        row = made;
        drawn[line.id] = now;
      }
      if (list.children[at] !== row) { list.insertBefore(row, list.children[at] || null); }
    });
    Object.keys(rows).forEach(function (id) { if (!there[id]) { rows[id].remove(); } });
    if (bottom) { list.scrollTop = list.scrollHeight; }
    if (all) { translateNext(); }
  }

  function asked(fields) {
    return fetch("/console/cases/" + encodeURIComponent(page.case) + "/translate", {
      method: "POST", body: new URLSearchParams(Object.assign({ csrf: page.csrf }, fields))
    }).then(function (answer) { return answer.ok && !answer.redirected ? answer.json() : { text: "" }; })
      .then(function (found) { return found.text; }, function () { return ""; });
  }
  function translate(row) {
    var id = row.dataset.id, button = row.querySelector("button");
    if (button) { button.disabled = true; }
    return asked({ line: id, via: row.dataset.via || "" }).then(function (words) {
      translated[id] = words;
      var now = [].find.call(document.getElementById("lines").children, function (other) { return other.dataset.id === id; });
      if (now) { machine(now); }
      return words;
    });
  }
  // One after the other, the newest first; where the machine fails it is left alone until it is asked again.
  function translateNext() {
    if (busy || !all) { return; }
    var row = [].slice.call(document.querySelectorAll("#lines li.person")).reverse().find(function (row) {
      return row.querySelector("button") && translated[row.dataset.id] === undefined;
    });
    if (!row) { return; }
    busy = true;
    translate(row).then(function (words) {
      busy = false;
      if (words) { translateNext(); } else { whole(false); }
    });
  }
  function whole(on) {
    all = on;
    document.getElementById("translate-all").setAttribute("aria-pressed", String(on));
    if (on) { translateNext(); }
  }
  function draft(form) {
    var box = form.querySelector("textarea"), mine = form.querySelector(".mine"), typed = box.value.trim();
    if (!typed) { box.focus(); return; }
    asked({ text: typed, via: form.elements.via.value }).then(function (words) {
      say(form, words ? "" : page.failed, !words);
      if (!words) { return; }
      mine.textContent = typed;
      form.querySelector(".draft").hidden = false;
      box.value = words;
      fresh(form);
      box.focus();
    });
  }

  // What goes out carries an id made here: the same words sent again go out once, other words are another message.
  function fresh(form) {
    var bytes = crypto.getRandomValues(new Uint8Array(12));
    form.elements.key.value = form.id + "-" + [].map.call(bytes, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }
  function say(form, words, bad) {
    var place = form.querySelector(".told-sent");
    place.textContent = words;
    place.classList.toggle("bad", Boolean(bad));
  }
  function send(form) {
    var box = form.querySelector("textarea"), buttons = form.querySelectorAll("button"), typed = box.value;
    buttons.forEach(function (button) { button.disabled = true; });
    say(form, "");
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then(function (answer) {
      var there = new URL(answer.url).pathname;
      if (answer.redirected && there !== "/console/cases/" + page.case) { say(form, page.signedOut, true); return; }
      if (!answer.ok || /[?&]error=/.test(answer.url)) { say(form, page.refused, true); changed(page.moved); return; }
      if (box.value === typed) { box.value = ""; }
      form.querySelectorAll("[name=aware]").forEach(function (known) { known.checked = false; });
      if (form.querySelector(".draft")) { form.querySelector(".draft").hidden = true; }
      fresh(form);
      say(form, page.sent);
      look();
    }, function () { say(form, page.notSent, true); }).then(function () {
      buttons.forEach(function (button) { button.disabled = false; });
      box.focus();
    });
  }
  function changed(words) {
    var place = document.getElementById("moved");
    if (!place.hidden && place.firstChild.textContent === words) { return; }
    place.firstChild.textContent = words;
    place.hidden = false;
  }

  function followQueue() {
    var source = new EventSource("/console/live");
    source.addEventListener("queue", function (event) { lost(false); queue(JSON.parse(event.data).cases); });
    source.onerror = function () { lost(true); if (source.readyState === 2) { setTimeout(followQueue, 3000); } };
  }

  function look() {
    return fetch("/console/cases/" + encodeURIComponent(page.case) + "/live.json", { headers: { Accept: "application/json" } })
      .then(function (answer) {
        if (answer.redirected) { changed(page.signedOut); return null; }
        return answer.json();
      })
      .then(function (found) {
        lost(false);
        if (found) { show(found); }
      })
      .catch(function () { lost(true); });
  }
  function show(found) {
    lines(found.lines);
    document.querySelectorAll("[data-window]").forEach(function (way) {
      var until = found.windows[way.dataset.window], open = Boolean(until) && Date.parse(until) > Date.now();
      if (until) { way.querySelector("time.until").dateTime = until; }
      if (open !== (way.dataset.open === "yes")) { changed(page.moved); }
    });
    document.querySelectorAll("[data-way]").forEach(function (way) {
      if (found.ways[way.dataset.way] !== way.dataset.how) { changed(page.moved); }
    });
    document.querySelectorAll("[data-quiet]").forEach(function (words) {
      var watched = found.quiet.indexOf(words.dataset.quiet) >= 0, box = words.querySelector("input");
      words.hidden = !watched;
      box.required = watched;
    });
    document.getElementById("case-state").textContent = found.case.state + (found.case.owner ? " · " + found.case.owner : "");
    if (found.case.owner !== page.owner) { changed(page.moved); }
  }
  function followCase() { look().then(function () { setTimeout(followCase, 1500); }); }

  document.querySelectorAll("form").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if ("send" in form.dataset) { event.preventDefault(); send(form); return; }
      var buttons = form.querySelectorAll("button");
      if (form.method === "dialog") { return; }
      setTimeout(function () { buttons.forEach(function (button) { button.disabled = true; }); }, 0);
      if ("download" in form.dataset) { setTimeout(function () { buttons.forEach(function (button) { button.disabled = false; }); }, 2500); }
    });
  });
  function field(at) { return at.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"); }
  function goTo(found) {
    var details = found && found.closest("details");
    if (details) { details.open = true; }
    if (found) { found.focus(); }
    return Boolean(found);
  }
  function move(by) {
    var links = [].slice.call(document.querySelectorAll("#queue li a")), now = document.querySelector("#queue li.here"), at;
    if (!links.length) { return false; }
    at = links.findIndex(function (link) { return link.parentNode === now; });
    at = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
    if (now) { now.classList.remove("here"); }
    links[at].parentNode.classList.add("here");
    return goTo(links[at]);
  }
  var keys = document.getElementById("keys"), single = {
    j: function () { return move(1); },
    k: function () { return move(-1); },
    o: function () { var link = document.querySelector("#queue li.here a"); if (link) { link.click(); } return Boolean(link); },
    "/": function () { return goTo(document.getElementById("find")); },
    r: function () { return goTo(document.querySelector("#reply textarea")); },
    n: function () { return goTo(document.querySelector("form[action$='/note'] input[name=text]")); },
    c: function () { return goTo(document.querySelector("#canned summary")) && (document.getElementById("canned").open = true); },
    t: function () { var button = document.getElementById("translate-all"); if (button) { button.click(); } return Boolean(button); },
    q: function () { location.href = "/console/queue"; return true; },
    "?": function () { keys.showModal(); return true; }
  };
  if (keys) {
    var on = document.getElementById("keys-on");
    on.checked = localStorage.getItem("console-keys") !== "off";
    on.addEventListener("change", function () { localStorage.setItem("console-keys", on.checked ? "on" : "off"); });
    document.getElementById("keys-open").addEventListener("click", function () { keys.showModal(); });
    document.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey || !on.checked || keys.open || field(event.target)) { return; }
      if (Object.prototype.hasOwnProperty.call(single, event.key) && single[event.key]()) { event.preventDefault(); }
    });
  }
  if (page.page === "queue") {
    document.getElementById("filter").addEventListener("change", function () { if (last) { queue(last); } });
    setInterval(tick, 1000);
    tick();
    followQueue();
  }
  if (page.page === "case") {
    var list = document.getElementById("lines");
    list.scrollTop = list.scrollHeight;
    document.querySelectorAll(".put").forEach(function (button) {
      button.addEventListener("click", function () {
        var box = document.querySelector("#reply textarea"), words = button.parentNode.querySelector(".words").textContent;
        box.value = box.value.trim() ? box.value.trim() + "\n" + words : words;
        fresh(box.form);
        box.focus();
      });
    });
    document.querySelectorAll("form[data-send]").forEach(function (form) {
      fresh(form);
      form.querySelector("textarea").addEventListener("input", function () { fresh(form); });
      if (form.querySelector(".draft-it")) { form.querySelector(".draft-it").addEventListener("click", function () { draft(form); }); }
    });
    document.querySelectorAll("time.at").forEach(local);
    if (page.translate) { document.getElementById("translate-all").addEventListener("click", function () { whole(!all); }); }
    setInterval(tick, 1000);
    tick();
    followCase();
  }
})();
