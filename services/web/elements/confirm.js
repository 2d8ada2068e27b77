import { h } from "../lib/dom.js";

/** Ask a question in a dialog, and resolve to whether the answer was yes. */
export function confirmed(question, explanation, yes) {
  return new Promise((resolve) => {
    const close = (value) => () => dialog.close(value);
    const dialog = h(
      "dialog",
      { "aria-labelledby": "question", "aria-describedby": "explanation" },
      h("h2", { id: "question" }, question),
      h("p", { id: "explanation" }, explanation),
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", class: "quiet", onclick: close("") }, "Cancel"),
        h("button", { type: "button", class: "danger", onclick: close("yes") }, yes),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
