"""推演 (`xunfang simulate-year`): a year of a synthetic county on a moved clock, with the real planner,
ladder, hours, caps, dispatch, settlement and case life on a real database. Only the telephones
(`lines`) and the people (`telephones`, `people`) are invented."""
