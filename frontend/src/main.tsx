import "./styles/index.css";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { router } from "./router";
import { applyTheme } from "./shell/theme";

applyTheme();
const place = document.getElementById("app");
if (place) createRoot(place).render(<RouterProvider router={router} />);
