// After another site's redirect: a step of our own, so that the strict cookie goes with it.
location.replace("/");
