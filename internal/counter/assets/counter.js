// What the pages do besides what HTML does: Enter goes on in the new form, what does
// not apply is hidden, papers end with their case, and an act that needs the passkey asks for it.

const form = document.getElementById("new");

// In the new form Enter goes to the next field, whoever types it: a scanner ends its data
// with it, and nothing is to be handed in half filled. Ctrl+Enter hands it in from wherever
// one is. A key that is held down acts once, so that nobody issues what nobody has looked
// at, and the Enter of an input method is its own.
document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.key !== "Enter" || event.isComposing) return;
  if (event.repeat && !at.matches("textarea")) event.preventDefault();
  else if (event.repeat || !form || at.form !== form) return;
  else if (event.ctrlKey) form.requestSubmit();
  else if (at.matches("input")) {
    event.preventDefault();
    const stops = [...form.querySelectorAll("input:not([type=hidden]), textarea, select, button")]
      .filter((e) => e === at || e.offsetParent && (e.type !== "radio" || e.checked));
    stops[stops.indexOf(at) + 1]?.focus();
  }
});

if (form) {
  const shown = () => {
    document.getElementById("passport-part").hidden = form.elements.kind.value === "domestic";
    document.getElementById("international-part").hidden = form.elements.kind.value !== "icvp";
    document.getElementById("proxy").hidden = form.elements["applicant.relationship"].value === "self";
  };
  form.addEventListener("change", shown);
  shown();
}

// A page that comes to hold rare characters is shown in the font for names.
const rare = /[\uFE00-\uFE0F\uF900-\uFAFF\u{20000}-\u{3FFFF}\u{E0100}-\u{E01EF}]/u;
document.addEventListener("input", (event) => { if (rare.test(event.target.value)) document.documentElement.classList.add("rare"); });

document.querySelector(".wrong [name]")?.focus();

// A file that would be refused for its size is not sent at all.
document.addEventListener("change", ({ target }) => {
  if (target.dataset.max) target.setCustomValidity(target.files[0]?.size > Number(target.dataset.max) ? target.dataset.tooLarge : "");
});

async function post(path, body) {
  const answer = await fetch("/api/v1" + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin",
  });
  const value = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw value;
  return value;
}

// Acts that need the second factor of the last five minutes.
for (const act of document.querySelectorAll("form[data-step-up]")) {
  act.addEventListener("submit", async (event) => {
    if (act.dataset.proven) return;
    event.preventDefault();
    try {
      const asked = await post("/session/step-up", {});
      if (asked.challenge) {
        const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key) });
        await post("/session/step-up/passkey", { challenge: asked.challenge, credential: credential.toJSON() });
      }
    } catch {
      // the service refuses the act and says why
    }
    act.dataset.proven = "asked";
    act.requestSubmit(event.submitter);
  });
}

// Papers open in one window beside the page, which ends with the case that they are about:
// with "next person", and where the page leads to signing in (sign-in.js). The name of this
// window remembers that there is one.
const paper = "paper";
addEventListener("click", (event) => { if (event.target.closest?.(`a[target=${paper}]`)) window.name = "with-paper"; });
addEventListener("submit", (event) => {
  if (event.target.matches("[action='/counter/next-person']") && window.name === "with-paper") {
    open("", paper)?.close();
    window.name = "";
  }
});

// Nothing stays on the screen of a terminal that was left for as long as a session lasts.
let left;
const wait = () => {
  clearTimeout(left);
  left = setTimeout(() => location.replace("/sign-in"), document.body.dataset.idle * 1000);
};
if (document.body.dataset.idle) for (const sign of ["DOMContentLoaded", "keydown", "pointerdown", "htmx:after:request"]) document.addEventListener(sign, wait);

// Whoever comes back from a paper finds the page as it is then.
let opened = false;
addEventListener("submit", (event) => {
  if ((event.submitter?.formTarget || event.target.target) !== paper) return;
  opened = true;
  window.name = "with-paper";
});
addEventListener("focus", () => { if (opened) location.replace(location.pathname.replace(/\/(issue|print)$/, "") + location.search); });

// What the browser kept of a page that was left is not shown again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
