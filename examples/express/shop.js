// A cart that all tabs of a visitor share: one session and one login for pages and sockets.
import { fileURLToPath } from "node:url";
import { socketio, validate } from "@plugboard/express";
import express from "express";
import session from "express-session";
import helmet from "helmet";
import passport from "passport";
import { Strategy } from "passport-local";
import { z } from "zod";

const users = new Map([["ada", { id: "ada", password: "secret" }]]);
passport.use(
  new Strategy((name, password, done) => {
    const user = users.get(name);
    done(null, user?.password === password ? user : false);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, users.get(id) ?? false));

const app = express();
const io = socketio(app, { session: { onEnd: "rehandshake" } });
app.use(helmet());
app.use(session({ secret: process.env.SECRET ?? "change me", resave: false, saveUninitialized: false }));
app.use(passport.session());
app.use(io.middleware({ gate: (req, res, next) => (req.isAuthenticated() ? next() : res.sendStatus(401)) }));

app.use(express.static(fileURLToPath(new URL("public", import.meta.url))));
app.post("/login", express.urlencoded({ extended: false }), passport.authenticate("local"), (req, res) =>
  res.sendStatus(204),
);
app.post("/logout", (req, res, next) => req.logout((error) => (error ? next(error) : res.sendStatus(204)))); // sockets follow

io.on("connection", (socket) => {
  socket.handle("cart", () => ({ user: socket.request.user.id, cart: socket.session.data.cart ?? [] }));
  socket.handle("cart:add", validate(z.object({ sku: z.string().min(1) })), async ({ sku }) => {
    const { cart } = await socket.session.update((data) => {
      (data.cart ??= []).push(sku);
    });
    return { count: cart.length };
  });
  socket.session.on("changed", ({ cart }) => socket.emit("cart", cart));
});

const server = app.listen(process.env.PORT ?? 3000, (error) => {
  if (error) throw error; // the port is taken
  console.log(`http://localhost:${server.address().port}`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => io.shutdown({ timeoutMs: 1000 }));
