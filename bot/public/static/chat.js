"use strict";
// The web chat: no framework, nothing kept in the browser but the session cookie that scripts cannot read.
(function () {
  var body = document.body, log = document.getElementById("log"), form = document.getElementById("form");
  var box = document.getElementById("text"), state = document.getElementById("state");
  var words = JSON.parse(body.dataset.words), directions = JSON.parse(body.dataset.directions);
  var locale = body.dataset.first, last = "", seen = {}, source = null, timer = null;
  var player = new Audio(), asked = false, recorder = null;

  function word(key) { return (words[locale] || words[body.dataset.first])[key] || ""; }

  function speak(code) {
    if (!words[code]) { return; }
    locale = code;
    document.documentElement.lang = code;
    document.documentElement.dir = directions[code];
    document.querySelectorAll("[data-word]").forEach(function (part) { part.textContent = word(part.dataset.word); });
    box.placeholder = word("web.write");
    document.querySelectorAll("[data-name]").forEach(function (part) { part.setAttribute("aria-label", word(part.dataset.name)); part.title = word(part.dataset.name); });
  }

  function id() {
    var bytes = new Uint8Array(12);
    crypto.getRandomValues(bytes);
    return Array.from(bytes, function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
  }

  function bubble(text, kind) {
    var row = document.createElement("div"), part = document.createElement("div");
    row.className = kind;
    part.className = "bubble";
    part.textContent = text;
    row.appendChild(part);
    log.appendChild(row);
    log.scrollTop = log.scrollHeight;
    return row;
  }

  function show(item) {
    if (seen[item.id]) { return; }
    seen[item.id] = true;
    last = item.id;
    if (item.about === "waiting.cleared") { leave(); return; }
    var row = bubble(item.speech ? "" : item.text, item.human ? "human" : "theirs");
    row.firstChild.appendChild(speaker(item));
    if (item.speech && asked) { play(item, row.querySelector(".speak")); }
    if (!item.choices.length) { return; }
    var list = document.createElement("div");
    list.className = "choices";
    item.choices.forEach(function (choice) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = choice[1];
      if (choice[0] === "c:help") { button.className = "urgent"; }
      button.addEventListener("click", function () {
        if (choice[0].slice(0, 2) === "l:") { speak(choice[0].slice(2)); }
        bubble(choice[1], "mine");
        send({ id: id(), choice: choice[0] });
      });
      list.appendChild(button);
    });
    row.appendChild(list);
    log.scrollTop = log.scrollHeight;
  }

  function speaker(item) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "speak";
    button.textContent = "\uD83D\uDD0A";
    button.setAttribute("aria-label", word("web.listen"));
    button.addEventListener("click", function () { play(item, button); });
    return button;
  }

  function play(item, button) {
    var address = "/chat/audio/" + encodeURIComponent(item.id) + "?lang=" + encodeURIComponent(locale);
    asked = true;
    if (!player.paused && player.getAttribute("data-id") === item.id) { player.pause(); return; }
    player.setAttribute("data-id", item.id);
    player.src = address;
    player.onended = player.onpause = function () { button.classList.remove("playing"); };
    player.onplaying = function () { button.classList.add("playing"); log.setAttribute("data-played", item.id); };
    var started = player.play();
    if (started && started.catch) { started.catch(function () { button.classList.remove("playing"); }); }
  }

  function sendFile(path, data, kind, name, tries) {
    return fetch(path + "?id=" + name, { method: "POST", headers: { "Content-Type": kind }, body: data })
      .then(function (answer) { if (!answer.ok) { throw new Error(String(answer.status)); } note(""); })
      .catch(function () {
        note("web.waiting");
        if (tries < 20) { setTimeout(function () { sendFile(path, data, kind, name, tries + 1); }, 3000); }
      });
  }

  function record(button) {
    if (recorder) { recorder.stop(); return; }
    navigator.mediaDevices.getUserMedia({ audio: true }).then(function (stream) {
      var pieces = [];
      recorder = new MediaRecorder(stream);
      recorder.ondataavailable = function (event) { pieces.push(event.data); };
      recorder.onstop = function () {
        var kind = (recorder.mimeType || "audio/webm").split(";")[0];
        stream.getTracks().forEach(function (track) { track.stop(); });
        recorder = null;
        button.classList.remove("playing");
        button.setAttribute("aria-label", word("web.record"));
        bubble("\uD83C\uDFA4", "mine");
        sendFile("/chat/voice", new Blob(pieces, { type: kind }), kind, id(), 0);
      };
      recorder.start();
      button.classList.add("playing");
      button.setAttribute("aria-label", word("web.record_stop"));
      setTimeout(function () { if (recorder) { recorder.stop(); } }, 120000);
    }, function () { button.hidden = true; });
  }

  function sendPictures(files) {
    var pictures = Array.from(files || []).filter(function (file) { return file.type.indexOf("image/") === 0; });
    pictures.forEach(function (file) {
      bubble("\uD83D\uDDBC\uFE0F", "mine");
      sendFile("/chat/picture", file, file.type, id(), 0);
    });
    return pictures.length > 0;
  }

  function locate() {
    navigator.geolocation.getCurrentPosition(function (found) {
      bubble("\uD83D\uDCCD", "mine");
      send({ id: id(), point: [found.coords.latitude, found.coords.longitude] });
    }, function () { document.getElementById("locate").hidden = true; });
  }

  function note(key) { state.hidden = !key; state.textContent = key ? word(key) : ""; }

  function send(message, tries) {
    tries = tries || 0;
    return fetch("/chat/messages", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) })
      .then(function (answer) {
        if (answer.status === 401) { return start().then(function () { return send(message, tries + 1); }); }
        if (!answer.ok) { throw new Error(String(answer.status)); }
        note("");
      })
      .catch(function () {
        // The same id again: the service keeps it once, however often it arrives.
        note("web.waiting");
        if (tries < 60) { setTimeout(function () { send(message, tries + 1); }, Math.min(1000 * (tries + 1), 10000)); }
      });
  }

  function poll() {
    fetch("/chat/messages?after=" + encodeURIComponent(last))
      .then(function (answer) { return answer.json(); })
      .then(function (found) { found.messages.forEach(show); note(""); })
      .catch(function () { note("web.waiting"); });
  }

  function listen() {
    if (!window.EventSource) { timer = setInterval(poll, 2000); return; }
    source = new EventSource("/chat/events?after=" + encodeURIComponent(last));
    source.onmessage = function (event) { show(JSON.parse(event.data)); note(""); };
    source.onerror = function () {
      note("web.waiting");
      if (source.readyState === 2) { source.close(); setTimeout(listen, 2000); }
    };
  }

  function start() { return fetch("/chat/session", { method: "POST" }); }

  function leave() {
    player.pause();
    if (source) { source.close(); }
    if (timer) { clearInterval(timer); }
    log.textContent = "";
    document.title = "Weather";
    start().then(function () { location.replace("https://www.wikipedia.org/"); }, function () { location.replace("about:blank"); });
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var text = box.value.trim();
    if (!text) { return; }
    box.value = "";
    bubble(text, "mine");
    send({ id: id(), text: text });
  });
  box.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit ? form.requestSubmit() : form.dispatchEvent(new Event("submit", { cancelable: true })); }
  });
  box.addEventListener("paste", function (event) { if (sendPictures(event.clipboardData && event.clipboardData.files)) { event.preventDefault(); } });
  document.addEventListener("dragover", function (event) { event.preventDefault(); });
  document.addEventListener("drop", function (event) { event.preventDefault(); sendPictures(event.dataTransfer && event.dataTransfer.files); });
  document.getElementById("leave").addEventListener("click", leave);
  var microphone = document.getElementById("record"), place = document.getElementById("locate");
  microphone.hidden = !(window.MediaRecorder && navigator.mediaDevices);
  place.hidden = !navigator.geolocation || !window.isSecureContext;
  microphone.addEventListener("click", function () { record(microphone); });
  place.addEventListener("click", locate);

  start().then(function () {
    listen();
    var code = body.dataset.code;
    return send(code ? { id: id(), text: "sy_" + code } : { id: id(), choice: "c:menu" });
  });
})();
