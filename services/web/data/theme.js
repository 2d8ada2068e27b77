/** The colours that the user chose: "light", "dark", or "" as the system has them. */

const ITEM = "cheeper.theme";

export const theme = {
  get chosen() {
    return localStorage.getItem(ITEM) ?? "";
  },

  choose(value) {
    localStorage.setItem(ITEM, value);
    this.apply();
  },

  apply() {
    document.documentElement.dataset.theme = this.chosen;
  },
};
