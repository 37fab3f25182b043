// What the two ends of contract.js and contract-client.js agree on. A page would import the same file.
import { defineEvents } from "@plugboard/contract";
import { z } from "zod";

const Todo = z.object({ id: z.number().int(), title: z.string(), due: z.iso.datetime().optional() });

export const contract = defineEvents({
  client: {
    "todo:add": {
      description: "Adds a todo; everybody else hears of it",
      payload: z.object({ title: z.string().trim().min(1).max(200), due: z.iso.datetime().optional() }),
      ack: z.object({ id: z.number().int() }),
    },
    "todo:list": { ack: z.array(Todo) },
  },
  server: {
    "todo:added": { payload: Todo },
  },
});
