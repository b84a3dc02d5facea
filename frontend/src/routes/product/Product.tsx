import { getRouteApi } from "@tanstack/react-router";
import { useTitle } from "../../shell/Shell";

const route = getRouteApi("/products/$");

export function Product() {
  const { _splat } = route.useParams();
  useTitle(_splat ?? "Product");
  return (
    <div className="page">
      <h1>{_splat}</h1>
    </div>
  );
}
