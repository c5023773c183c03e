// Without a gateway nobody is reached.

import { HttpError } from "../errors.js";
import { Response, address } from "../request.js";

export { HttpError, Response };

export function send({ url }) {
  throw new HttpError("unreachable", `${address(url).authority} is not reached outside of a gateway`);
}
