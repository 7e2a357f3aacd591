"use strict";
// Asks the browser for a passkey, puts its answer into the form, and sends the form. Nothing is kept here.
(function () {
  if (!window.PublicKeyCredential || !navigator.credentials) { return; }

  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/")), made = new Uint8Array(plain.length);
    for (var at = 0; at < plain.length; at += 1) { made[at] = plain.charCodeAt(at); }
    return made.buffer;
  }
  function text(buffer) {
    var plain = "";
    new Uint8Array(buffer).forEach(function (byte) { plain += String.fromCharCode(byte); });
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function named(list) { return (list || []).map(function (one) { return { type: one.type, id: bytes(one.id), transports: one.transports }; }); }

  function wish(options) {
    options.challenge = bytes(options.challenge);
    if (options.user) { options.user.id = bytes(options.user.id); }
    if (options.excludeCredentials) { options.excludeCredentials = named(options.excludeCredentials); }
    if (options.allowCredentials) { options.allowCredentials = named(options.allowCredentials); }
    return { publicKey: options };
  }
  function told(found) {
    var response = { clientDataJSON: text(found.response.clientDataJSON) };
    ["attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (found.response[name]) { response[name] = text(found.response[name]); }
    });
    return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response: response, clientExtensionResults: found.getClientExtensionResults() });
  }

  function ask(form) {
    var fields = new URLSearchParams({ purpose: form.dataset.passkey });
    if (form.csrf) { fields.set("csrf", form.csrf.value); }
    return fetch(form.dataset.ask, { method: "POST", body: fields, headers: { Accept: "application/json" } })
      .then(function (answer) { if (!answer.ok || answer.redirected) { throw new Error("no challenge"); } return answer.json(); })
      .then(function (given) {
        var options = wish(given.options);
        form.challenge.value = given.challenge;
        return form.dataset.passkey === "register" ? navigator.credentials.create(options) : navigator.credentials.get(options);
      })
      .then(function (found) {
        form.answer.value = told(found);
        form.submit();
      });
  }

  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    var button = form.querySelector("button"), wrong = form.querySelector("[role=alert]");
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      wrong.hidden = true;
      button.disabled = true;
      ask(form).catch(function () { wrong.hidden = false; }).then(function () { button.disabled = false; });
    });
  });
})();
