// The web chat, for browsers from 2016 on: no framework, no build step, ES5.
// In the browser it keeps, for this tab and until the person leaves, only the language, the size of the letters, what
// its address asked for and what could not be sent yet; the session is a cookie that scripts cannot read. On a shared screen it keeps nothing.
(function () {
  "use strict";
  var STORE = "s", HEARD = 45000, FIRST = 3000, SOCKET_EVERY = 30000;
  var root = document.documentElement, body = document.body;
  var log = part("log"), form = part("form"), box = part("text"), state = part("state"), file = part("file");
  var words = JSON.parse(given("words")), directions = JSON.parse(given("directions"));
  var locale = given("locale"), firstLocale = locale, firstWords = words, exit = given("exit");
  var idle = Number(given("idle")) * 1000, kiosk = idle > 0;
  // `round` counts the people at a shared screen: what still comes for an earlier one is thrown away.
  var round = 0, left = false, ready = false, last = "", seen = {}, said = [], anchor = null, used = false, touchedAt = 0;
  var queue = [], busy = false, tries = 0, later = null;
  var socket = null, live = false, heardAt = 0, polling = null, again = null, pollAgain = null, failures = 0;
  var player = new Audio(), asked = false, recorder = null, escapes = [];

  function part(name) { return document.getElementById(name); }
  function given(name) { return body.getAttribute("data-" + name); }
  function word(key) { return words[key] || firstWords[key] || ""; }
  function now() { return window.performance ? performance.now() : Date.now(); }
  function each(list, act) { for (var i = 0; i < list.length; i += 1) { act(list[i], i); } }
  function make(tag, kind, text) {
    var made = document.createElement(tag);
    if (kind) { made.className = kind; }
    if (text) { made.textContent = text; }
    return made;
  }
  function note(key) { state.hidden = !key; state.textContent = key ? word(key) : ""; }
  function newName() {
    var bytes = new Uint8Array(12), name = "", i;
    crypto.getRandomValues(bytes);
    for (i = 0; i < bytes.length; i += 1) { name += ("0" + bytes[i].toString(16)).slice(-2); }
    return name;
  }

  // ---- asking the service

  function ask(method, path, data, kind, patience, done) {
    var request = new XMLHttpRequest(), mine = round;
    request.open(method, path);
    request.timeout = patience;
    if (kind) { request.setRequestHeader("Content-Type", kind); }
    request.onloadend = function () {
      var answer = null;
      if (mine !== round || left || request.dropped) { return; }
      try { answer = JSON.parse(request.responseText); } catch (error) { answer = null; }
      done(request.status, answer, request);
    };
    request.send(data || null);
    return request;
  }

  function drop(request) { if (request) { request.dropped = true; request.abort(); } }

  // Opens a session, or goes on with the one there is; tries for ever.
  function open(keep, then) {
    ready = false;
    ask("POST", "/chat/session" + (keep ? "?keep=1" : ""), null, null, 15000, function (status, answer) {
      if (status === 200) { ready = true; then(Boolean(answer && answer.kept)); return; }
      note("web.waiting");
      setTimeout(held(function () { open(keep, then); }), 3000);
    });
  }

  // The session is gone, for instance because another tab has left: what waits to be sent goes to a new one.
  function anew() {
    if (!ready) { return; }
    open(false, function () { last = ""; pump(); reconnect(); });
  }

  // Runs it only if the same person is still here.
  function held(act) {
    var mine = round;
    return function () { if (mine === round && !left) { act(); } };
  }

  // ---- what this tab keeps

  function saved() {
    if (kiosk) { return null; }
    try { return JSON.parse(sessionStorage.getItem(STORE)); } catch (error) { return null; }
  }

  function unsent() {
    var found = [];
    each(queue, function (item) { if (item.letter) { found.push(item.letter); } });
    return found;
  }

  function save() {
    if (kiosk || left) { return; }
    try {
      sessionStorage.setItem(STORE, JSON.stringify({
        locale: locale, big: root.classList.contains("big"), topic: given("topic"), place: given("place"), unsent: unsent()
      }));
    } catch (error) { /* a browser that keeps nothing still chats */ }
  }

  // ---- sending: one after the other, under an id that makes a repeat harmless

  function enqueue(item) {
    wait(item);
    save();
    pump();
  }

  function wait(item) {
    if (item.row) { item.row.classList.add("unsent"); }
    queue.push(item);
  }

  function send(letter, row) {
    letter.id = letter.id || newName();
    enqueue({ letter: letter, row: row });
  }

  function pump() {
    var item = queue[0], path, data, kind;
    if (busy || left || !ready || !item) { return; }
    busy = true;
    clearTimeout(later);
    path = item.letter ? "/chat/messages" : item.path + "?id=" + item.name;
    data = item.letter ? JSON.stringify(item.letter) : item.data;
    kind = item.letter ? "application/json" : item.kind;
    ask("POST", path, data, kind, item.letter ? 15000 : 90000, function (status, answer, request) {
      busy = false;
      if (status === 401) { anew(); return; }
      if (status >= 200 && status < 300) { settled(item, ""); return; }
      if (status === 400 || status === 413 || status === 415) { settled(item, "web.refused"); return; }
      tries += 1;
      note(status === 429 ? "web.slower" : "web.waiting");
      later = setTimeout(held(pump), Number(request.getResponseHeader("Retry-After")) * 1000 || Math.min(1000 * tries, 10000));
    });
  }

  function settled(item, key) {
    queue.shift();
    tries = 0;
    if (item.row && !key) { item.row.classList.remove("unsent"); }
    save();
    note(key);
    pump();
  }

  // ---- hearing: a websocket where there is one, else asking again and again; both begin after the last id seen

  function connect() {
    var mine, opened = false;
    clearTimeout(again);
    if (left || !ready) { return; }
    if (!window.WebSocket) { poll(); return; }
    try {
      mine = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/chat/socket?after=" + encodeURIComponent(last));
    } catch (error) { poll(); return; }
    socket = mine;
    setTimeout(function () { if (mine === socket && !opened) { poll(); } }, FIRST);
    mine.onopen = function () {
      if (mine !== socket) { mine.close(); return; }
      opened = live = true;
      heardAt = now();
      failures = 0;
      note("");
      stopPolling();
    };
    mine.onmessage = function (event) {
      if (mine !== socket) { return; }
      heardAt = now();
      if (event.data) { show(JSON.parse(event.data)); }
    };
    mine.onclose = function () {
      if (mine !== socket || left) { return; }
      socket = null;
      live = false;
      poll();
      again = setTimeout(held(connect), opened ? 1000 : SOCKET_EVERY);
    };
  }

  function disconnect() {
    var old = socket;
    socket = null;
    live = false;
    clearTimeout(again);
    if (old) { old.close(); }
    stopPolling();
  }

  function reconnect() { disconnect(); connect(); }

  function stopPolling() {
    clearTimeout(pollAgain);
    drop(polling);
    polling = null;
  }

  function poll() {
    if (polling || live || left || !ready) { return; }
    clearTimeout(pollAgain);
    polling = ask("GET", "/chat/messages?wait=20&after=" + encodeURIComponent(last), null, null, 40000, function (status, answer) {
      polling = null;
      if (status === 401) { anew(); return; }
      if (status === 200 && answer) {
        failures = 0;
        if (!queue.length) { note(""); }
        each(answer.messages, show);
      } else {
        failures += 1;
        note("web.waiting");
      }
      pollAgain = setTimeout(held(poll), failures ? Math.min(1000 * failures, 10000) : 50);
    });
  }

  // ---- showing

  function bubble(text, kind) {
    var row = make("div", kind), words = make("div", "bubble", text);
    row.appendChild(make("span", "hidden", word(kind === "mine" ? "web.you" : kind === "human" ? "web.human" : "web.bot") + ":"));
    words.setAttribute("dir", "auto");
    words.setAttribute("lang", locale);
    row.appendChild(words);
    row.bubble = words;
    log.appendChild(row);
    if (kind === "mine") { anchor = row; }
    scroll();
    return row;
  }

  // What was said in one turn begins at the top where it is longer than the screen, so that nobody scrolls back to read.
  function scroll() { log.scrollTop = anchor ? anchor.offsetTop - log.offsetTop - 8 : log.scrollHeight; }

  function turnOf(item) { return item.id.slice(0, item.id.lastIndexOf(":")); }

  function show(item) {
    var row;
    if (item.mine) { bubble(mine(item), "mine"); return; }
    if (!item.id || seen[item.id]) { return; }
    seen[item.id] = true;
    if (item.id > last) { last = item.id; }
    if (item.about === "waiting.cleared") { go(); return; }
    touchedAt = now();
    row = bubble(item.speech ? "" : item.text, item.human ? "human" : "theirs");
    if (!said.length || turnOf(said[said.length - 1]) !== turnOf(item)) {
      anchor = row.previousSibling && row.previousSibling.className.indexOf("mine") === 0 ? row.previousSibling : row;
    }
    said.push(item);
    row.bubble.appendChild(speaker(item));
    if (kiosk) { row.bubble.appendChild(printer(item)); }
    if (item.picture) { row.insertBefore(shown(item.picture), row.bubble); }
    if (item.speech && asked) { play(item, row.querySelector(".speak")); }
    if (item.choices.length) { row.appendChild(choices(item.choices)); }
    scroll();
  }

  // A picture of ours comes apart from the page; until it is there, or where it cannot be had, its words stand for it.
  function shown(picture) {
    var image = make("img", "shown");
    image.alt = picture[1];
    image.onload = scroll;
    image.src = "/chat/pictures/" + encodeURIComponent(picture[0]);
    return image;
  }

  function mine(item) {
    var own = { voice: "web.sent_voice", image: "web.sent_picture", location: "web.sent_place" }[item.carrier];
    return own ? word(own) : item.text;
  }

  function choices(list) {
    var made = make("div", "choices");
    each(list, function (choice) {
      var button = make("button", choice[0] === "c:help" ? "urgent" : "", choice[1]);
      button.type = "button";
      button.addEventListener("click", function () {
        if (choice[0].slice(0, 2) === "l:") { speak(choice[0].slice(2)); }
        send({ choice: choice[0] }, bubble(choice[1], "mine"));
      });
      made.appendChild(button);
    });
    return made;
  }

  function beside(sign, key, act) {
    var button = make("button", "aside", sign);
    button.type = "button";
    button.setAttribute("aria-label", word(key));
    button.addEventListener("click", act);
    return button;
  }

  function speaker(item) {
    var button = beside("\uD83D\uDD0A", "web.listen", function () { play(item, button); });
    button.classList.add("speak");
    return button;
  }

  function play(item, button) {
    var started;
    asked = true;
    if (!player.paused && player.getAttribute("data-id") === item.id) { player.pause(); return; }
    player.setAttribute("data-id", item.id);
    player.src = "/chat/audio/" + encodeURIComponent(item.id) + "?lang=" + encodeURIComponent(locale);
    player.onended = player.onpause = function () { button.classList.remove("playing"); };
    player.onplaying = function () { button.classList.add("playing"); log.setAttribute("data-played", item.id); };
    player.onerror = function () { button.classList.remove("playing"); if (player.getAttribute("src")) { note("web.no_sound"); } };
    started = player.play();
    if (started && started.then) { started.then(null, function () { button.classList.remove("playing"); }); }
  }

  // ---- language and letters

  function speak(code) {
    if (!directions[code] || code === locale) { return; }
    locale = code;
    save();
    ask("GET", "/chat/words/" + code, null, null, 15000, function (status, answer) {
      if (status === 200 && answer && code === locale) { words = answer; dress(); }
    });
    dress();
  }

  function dress() {
    root.lang = locale;
    root.dir = directions[locale];
    each(document.querySelectorAll("[data-word]"), function (one) { one.textContent = word(one.getAttribute("data-word")); });
    each(document.querySelectorAll("[data-name]"), function (one) { one.setAttribute("aria-label", word(one.getAttribute("data-name"))); });
    each(document.querySelectorAll("[data-title]"), function (one) { one.title = word(one.getAttribute("data-title")); });
    each(document.querySelectorAll(".speak"), function (one) { one.setAttribute("aria-label", word("web.listen")); });
    box.placeholder = word("web.write");
    form.elements.lang.value = locale;
    sizeNames();
  }

  function enlarge(big) {
    root.classList[big ? "add" : "remove"]("big");
    sizeNames();
    save();
  }

  function sizeNames() {
    var button = part("bigger"), big = root.classList.contains("big");
    button.setAttribute("aria-pressed", String(big));
    button.setAttribute("data-name", big ? "web.smaller" : "web.bigger");
    button.setAttribute("aria-label", word(big ? "web.smaller" : "web.bigger"));
  }

  // ---- voice, pictures, place

  function record(button) {
    if (recorder) { recorder.stop(); return; }
    navigator.mediaDevices.getUserMedia({ audio: true }).then(held1(function (stream) {
      var pieces = [], mine = round;
      recorder = new MediaRecorder(stream);
      recorder.ondataavailable = function (event) { pieces.push(event.data); };
      recorder.onstop = function () {
        var kind = (recorder.mimeType || "audio/webm").split(";")[0];
        each(stream.getTracks(), function (track) { track.stop(); });
        recorder = null;
        naming(button, false);
        if (left || mine !== round) { return; }
        enqueue({ path: "/chat/voice", name: newName(), data: new Blob(pieces, { type: kind }), kind: kind, row: bubble(word("web.sent_voice"), "mine") });
      };
      recorder.start();
      naming(button, true);
      setTimeout(function () { if (recorder) { recorder.stop(); } }, 120000);
    }), function () { note("web.no_microphone"); button.hidden = true; });
  }

  function held1(act) {
    var mine = round;
    return function (stream) {
      if (mine === round && !left) { act(stream); } else { each(stream.getTracks(), function (track) { track.stop(); }); }
    };
  }

  function naming(button, recording) {
    button.classList[recording ? "add" : "remove"]("playing");
    button.setAttribute("data-name", recording ? "web.record_stop" : "web.record");
    button.setAttribute("aria-label", word(recording ? "web.record_stop" : "web.record"));
  }

  function sendPictures(files) {
    var sent = false;
    each(files || [], function (one) {
      if (one.type.indexOf("image/") !== 0) { return; }
      sent = true;
      enqueue({ path: "/chat/picture", name: newName(), data: one, kind: one.type, row: bubble(word("web.sent_picture"), "mine") });
    });
    return sent;
  }

  function locate() {
    navigator.geolocation.getCurrentPosition(function (found) {
      if (left) { return; }
      send({ point: [found.coords.latitude, found.coords.longitude] }, bubble(word("web.sent_place"), "mine"));
    }, function () { note("web.no_place"); }, { timeout: 20000, maximumAge: 60000 });
  }

  // ---- leaving

  function empty() {
    player.pause();
    player.removeAttribute("src");
    if (recorder) { recorder.stop(); }
    log.textContent = "";
    box.value = "";
    file.value = "";
    note("");
    if (part("sheet")) { part("sheet").textContent = ""; part("sheet").hidden = true; }
    body.classList.remove("printing");
    queue = [];
    said = [];
    anchor = null;
    seen = {};
    last = "";
    busy = false;
    used = false;
  }

  function farewell(then) {
    var data = JSON.stringify({ unsent: unsent() });
    if (!then && navigator.sendBeacon && navigator.sendBeacon("/chat/leave", data)) { return; }
    var request = new XMLHttpRequest();
    request.open("POST", "/chat/leave");
    request.timeout = 5000;
    request.onloadend = then || null;
    request.send(data);
  }

  function leave() {
    if (left) { return; }
    farewell();
    left = true;
    disconnect();
    empty();
    try { sessionStorage.removeItem(STORE); } catch (error) { /* nothing was kept */ }
    body.hidden = true;
    location.replace(exit);
  }

  function go() { escapes = []; if (kiosk) { reset(); } else { leave(); } }

  function reset() {
    var mine;
    round += 1;
    mine = round;
    disconnect();
    farewell(function () { if (mine === round) { begin(); } });
    empty();
    part("idle").hidden = true;
    words = firstWords;
    locale = firstLocale;
    asked = false;
    part("languages").open = false;
    enlarge(false);
    dress();
  }

  // ---- a shared screen

  function touched() {
    used = true;
    touchedAt = now();
    if (kiosk && !part("idle").hidden) { part("idle").hidden = true; box.focus(); }
  }

  function watch() {
    var seconds = Math.ceil((touchedAt + idle - now()) / 1000), alarm = part("idle");
    if (!used) { return; }
    if (seconds <= 0) { reset(); return; }
    if (seconds > Math.min(15, idle / 2000)) { alarm.hidden = true; return; }
    part("left").textContent = word("web.clears").replace("{seconds}", seconds);
    if (alarm.hidden) { alarm.hidden = false; part("here").focus(); }
  }

  function printer(item) {
    var button = beside("\uD83D\uDDA8\uFE0F", "web.print", function () { sheet(turnOf(item)); });
    button.classList.add("print");
    return button;
  }

  // The whole turn on paper, with the numbers, and a square that opens the same topic on the person's own phone.
  function sheet(turn) {
    var page = part("sheet"), picture = make("img"), topic = "";
    var items = said.filter(function (item) { return turnOf(item) === turn; });
    page.textContent = "";
    each(items, function (item) { topic = item.topic || topic; });
    picture.alt = word("web.scan");
    page.appendChild(picture);
    each(items, function (item) {
      if (item.picture) { page.appendChild(shown(item.picture)); }
      page.appendChild(make("p", "", item.text));
    });
    page.appendChild(make("p", "lines", ["emergency_112", "child_1098", "women_181", "railway_139"].map(function (line) { return word("helpline." + line); }).join("\n")));
    page.appendChild(make("p", "", word("web.scan")));
    page.appendChild(make("p", "", word("web.printed").replace("{date}", new Date().toISOString().slice(0, 10))));
    picture.onload = held(function () {
      page.hidden = false;
      body.classList.add("printing");
      window.print();
      body.classList.remove("printing");
      page.hidden = true;
    });
    picture.onerror = function () { note("web.waiting"); };
    picture.src = "/chat/square.svg?lang=" + encodeURIComponent(locale) + "&t=" + encodeURIComponent(topic) + "&place=" + encodeURIComponent(given("place"));
  }

  // ---- beginning

  function begin() {
    open(false, function () {
      connect();
      if (given("given")) { send({ choice: "l:" + given("given") }); }
      if (given("place")) { send({ text: "sy_" + given("place") }); }
      if (given("topic")) { send({ choice: "t:" + given("topic") }); }
      if (!given("given") && !given("topic") && !given("place")) { send({ choice: "c:menu" }); }
      save();
    });
  }

  // The same tab once more: both sides of the conversation, then what had not been sent.
  function resume(before) {
    open(true, function (kept) {
      var names = [];
      if (!kept) { begin(); return; }
      each(before.unsent || [], function (letter) { names.push(letter.id); });
      (function history() {
        ask("GET", "/chat/messages?mine=1&sent=" + names.join(","), null, null, 20000, function (status, answer) {
          if (status === 401) { begin(); return; }
          if (status !== 200 || !answer) { note("web.waiting"); setTimeout(history, 3000); return; }
          each(answer.messages, show);
          each(before.unsent || [], function (letter) {
            if (answer.kept.indexOf(letter.id) < 0) { wait({ letter: letter, row: letter.text ? bubble(letter.text, "mine") : null }); }
          });
          if (given("place") && given("place") !== before.place) { wait({ letter: { id: newName(), text: "sy_" + given("place") }, row: null }); }
          if (given("topic") && given("topic") !== before.topic) { wait({ letter: { id: newName(), choice: "t:" + given("topic") }, row: null }); }
          save();
          connect();
          pump();
        });
      }());
    });
  }

  function start() {
    var before = saved();
    if (before && before.big) { enlarge(true); }
    if (before && before.locale && !given("given")) { speak(before.locale); }
    if (before) { queue = []; resume(before); } else { begin(); }
  }

  form.addEventListener("submit", function (event) {
    var text = box.value.trim();
    event.preventDefault();
    if (!text) { return; }
    box.value = "";
    send({ text: text }, bubble(text, "mine"));
  });
  box.addEventListener("keydown", function (event) {
    if (event.keyCode === 13 && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.querySelector("[type=submit]").click();
    }
  });
  box.addEventListener("paste", function (event) { if (sendPictures(event.clipboardData && event.clipboardData.files)) { event.preventDefault(); } });
  document.addEventListener("dragover", function (event) { event.preventDefault(); });
  document.addEventListener("drop", function (event) { event.preventDefault(); sendPictures(event.dataTransfer && event.dataTransfer.files); });
  document.addEventListener("keydown", function (event) {
    if (event.keyCode !== 27) { return; }
    escapes = escapes.concat(now()).slice(-3);
    if (escapes.length === 3 && escapes[2] - escapes[0] < 2000) { go(); }
  });
  part("leave").addEventListener("click", go);
  each(document.querySelectorAll("#languages a"), function (link) {
    link.addEventListener("click", function (event) {
      var code = link.getAttribute("data-locale");
      event.preventDefault();
      part("languages").open = false;
      speak(code);
      send({ choice: "l:" + code }, bubble(link.textContent, "mine"));
    });
  });
  part("bigger").hidden = false;
  part("bigger").addEventListener("click", function () { enlarge(!root.classList.contains("big")); });
  part("picture").hidden = kiosk;
  part("picture").addEventListener("click", function () { file.click(); });
  file.addEventListener("change", function () { sendPictures(file.files); file.value = ""; });
  part("record").hidden = !(window.MediaRecorder && navigator.mediaDevices);
  part("record").addEventListener("click", function () { record(part("record")); });
  part("locate").hidden = kiosk || !navigator.geolocation || window.isSecureContext === false;
  part("locate").addEventListener("click", locate);
  window.addEventListener("online", function () { failures = tries = 0; pump(); reconnect(); });
  window.addEventListener("pageshow", function () { if (left) { location.replace(exit); } });
  setInterval(function () { if (live && now() - heardAt > HEARD) { reconnect(); } }, 5000);
  if (kiosk) {
    each(["mousedown", "touchstart", "keydown", "input"], function (kind) { document.addEventListener(kind, touched, true); });
    part("here").addEventListener("click", touched);
    setInterval(watch, 500);
  }
  start();
}());
