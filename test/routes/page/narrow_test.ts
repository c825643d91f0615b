/** Every view is accessible and usable on a narrow page, light, in English. `wide_test.ts` has the others. */
import { testViews } from "../../support/page/view_suite.ts";

testViews({ colours: "light", language: "en", width: 320 });
