select carrier, sum(distance) as miles
from {{ source("nyc", "flights") }}
group by carrier
