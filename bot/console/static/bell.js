"use strict";
// On every page of whoever works on cases: a new cry, a graver one, a new line in one's own case sound and show above.
(function () {
  var page = document.body.dataset, banner = document.getElementById("bell"), button = document.getElementById("sound");
  var known = null, audio = null, here = /^\/console\/cases\/([^\/]+)/.exec(location.pathname);

  function beep() {
    if (!audio || audio.state === "suspended") { return; }
    [0, 0.25, 0.5].forEach(function (delay) {
      var tone = audio.createOscillator(), level = audio.createGain();
      tone.frequency.value = 880;
      level.gain.value = 0.2;
      tone.connect(level);
      level.connect(audio.destination);
      tone.start(audio.currentTime + delay);
      tone.stop(audio.currentTime + delay + 0.15);
    });
  }
  function wished() { return localStorage.getItem("console-sound") === "on"; }
  function ready() { button.setAttribute("aria-pressed", String(Boolean(audio) && audio.state === "running")); }
  // A browser lets a page sound once somebody has touched it; until then the button says that it is silent.
  function open() {
    if (!audio) { audio = new (window.AudioContext || window.webkitAudioContext)(); audio.onstatechange = ready; }
    audio.resume().then(ready);
  }
  button.addEventListener("click", function (event) {
    event.stopPropagation();
    if (button.getAttribute("aria-pressed") === "true") {
      localStorage.setItem("console-sound", "off");
      audio.close();
      audio = null;
      ready();
    } else {
      localStorage.setItem("console-sound", "on");
      open();
      audio.resume().then(beep);
    }
  });
  ["click", "keydown"].forEach(function (touch) {
    document.addEventListener(touch, function () { if (wished() && (!audio || audio.state === "suspended")) { open(); } });
  });
  if (wished()) { open(); }

  function show(item, words) {
    banner.textContent = "";
    var link = document.createElement("a");
    link.href = "/console/cases/" + encodeURIComponent(item.id);
    link.textContent = words + " · " + item.kind + " · " + item.reason;
    banner.appendChild(link);
    banner.hidden = false;
  }
  // Put back into the queue, given to whoever reads this, one rung higher, or paged once more since nobody came.
  function asks(before, item) {
    return (before.owner && !item.owner) || (before.owner && item.mine && !before.mine) ||
      before.escalations < item.escalations || before.pages < item.pages;
  }
  function hear(cases, still) {
    var now = {}, cry = null, line = null;
    cases.forEach(function (item) {
      var before = known && known[item.id];
      now[item.id] = item;
      if (!known) { return; }
      if (!before || before.raised < item.raised || asks(before, item)) { cry = cry || item; }
      else if (item.mine && item.unread > before.unread && !(here && here[1] === item.id)) { line = line || item; }
    });
    known = now;
    if (!cry && !line) { return; }
    if (!still) { beep(); }
    if (cry) { show(cry, page.newCase); } else { show(line, page.newLine); }
  }
  window.bell = { hear: hear };
  // A browser keeps few connections open to one server: of many tabs one listens, sounds, and tells the others.
  function follow(heard) {
    var source = new EventSource("/console/live");
    source.addEventListener("queue", function (event) { heard(JSON.parse(event.data).cases); });
    source.onerror = function () { if (source.readyState === 2) { setTimeout(function () { follow(heard); }, 3000); } };
  }
  if (page.page === "queue") { return; }
  if (!navigator.locks || !window.BroadcastChannel) { follow(hear); return; }
  var tabs = new BroadcastChannel("console-bell"), first = false;
  tabs.onmessage = function (event) { if (!first) { hear(event.data, true); } };
  navigator.locks.request("console-bell", function () {
    first = true;
    follow(function (cases) { hear(cases); tabs.postMessage(cases); });
    return new Promise(function () {});
  });
})();
