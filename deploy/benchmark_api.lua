-- What deploy/benchmark-api has wrk read: a mixture as a dashboard and a chatbot make it. TOKEN, TENANTS and PAUSE (microseconds between an
-- answer and the connection's next request, on average) are in the environment.

local token = os.getenv("TOKEN")
local tenants = tonumber(os.getenv("TENANTS"))
local pause = tonumber(os.getenv("PAUSE"))

local threads = 0
function setup(thread)
    thread:set("seed", 7919 * (threads + 1))
    threads = threads + 1
end

function init(_)
    math.randomseed(seed)
end

-- Some earlier, some later, so that connections do not beat in time. wrk takes whole milliseconds.
function delay()
    return math.floor(math.random() * 2 * pause / 1000 + 0.5)
end

local function tenant()
    return string.format("/v1/tenants/load-%05d", math.random(0, tenants - 1))
end

local function get(path) return "GET", path, nil end

local search = '{"query": "opening hours of the museum", "limit": 5}'

-- Weight, and what is asked.
local mixture = {
    { 20, function() return get(tenant()) end },
    { 15, function() return get("/v1/tenants?limit=50") end },
    { 10, function() return get(tenant() .. "/settings") end },
    { 15, function() return get(tenant() .. "/conversations?limit=50") end },
    { 10, function() return get(tenant() .. "/usage?by=day") end },
    { 5, function() return get("/v1/usage?by=day") end },
    { 3, function() return get("/v1/usage?by=hour&metric=messages") end },
    { 5, function() return get("/v1/tenants/load-00000/documents?limit=50") end },
    { 7, function() return "POST", "/v1/tenants/load-00000/search", search end },
    { 4, function() return get("/v1/alerts?limit=50") end },
    { 3, function() return get("/v1/audit?limit=50") end },
    { 3, function() return get("/v1/me") end },
}
local all = 0
for _, line in ipairs(mixture) do all = all + line[1] end

local headers = { Authorization = "Bearer " .. token, ["Content-Type"] = "application/json" }

function request()
    local draw = math.random(1, all)
    for _, line in ipairs(mixture) do
        draw = draw - line[1]
        if draw <= 0 then
            local method, path, body = line[2]()
            return wrk.format(method, path, headers, body)
        end
    end
end
