let asked = 0;

/**
 * Sends a worker an order and waits for the answer with its id.
 * @throws what the worker says is wrong, or that it has ended
 */
export function ask({ child }, order) {
  const id = asked++;
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`a worker ended with ${code}`));
    const heard = (message) => {
      if (message.id !== id) return;
      child.off('message', heard);
      child.off('exit', ended);
      if (message.error === undefined) resolve(message.answer);
      else reject(new Error(message.error));
    };
    child.on('message', heard);
    child.once('exit', ended);
    child.send({ id, ...order });
  });
}
