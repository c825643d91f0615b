/** `queryOf()` reads the parameters of a URL. What schemas refuse is in the tests of request bodies. */
