import { render } from "preact";

/** The page begins here. */

const page = document.getElementById("page");
if (page !== null) render(<h1>Keybrake</h1>, page);
