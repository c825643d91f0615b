/** Every view is accessible on a wide page, at a zoom and with own styles, dark, in Russian; see `narrow_test.ts`. */
import { testViews } from "../../support/page/view_suite.ts";

testViews({ colours: "dark", language: "ru", width: 1280 });
