/** The meanings of the settings in Russian, by the name of the setting: see settings.js. */

export const texts = {
  "GATEHOUSE_LISTEN": "Адрес и порт (IPv6 в виде `[::1]:8000`; порт `0` — любой свободный) или `unix:/path`",
  "GATEHOUSE_METRICS_LISTEN":
    "Адрес и порт или `unix:/path`, где доступен только `/metrics`; тогда по адресу `GATEHOUSE_LISTEN` его нет. " +
    "Нужно за прокси, который не добавляет заголовков",
  "GATEHOUSE_STORE": "Папка с пользователями и сеансами, создаётся при отсутствии; или база данных PostgreSQL, " +
    "`postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`",
  "GATEHOUSE_PBKDF2_ITERATIONS":
    "Число итераций PBKDF2 для хеша пароля, от 1 до 10000000; при значении меньше 600000 в журнал пишется " +
    "предупреждение при запуске",
  "GATEHOUSE_PASSWORD_MIN_LENGTH":
    "Минимальная длина нового пароля в кодовых точках, от 8 до 64; при значении меньше 15 в журнал пишется " +
    "предупреждение при запуске",
  "GATEHOUSE_LOGIN_ERRORS":
    "`exact` отличает неизвестный логин от неверного пароля: только для обучения, в журнал пишется предупреждение " +
    "при запуске",
  "GATEHOUSE_REGISTRATION":
    "Кто может регистрироваться: `open` — кто угодно, `ticket` — только по одноразовому коду, `closed` — никто",
  "GATEHOUSE_RESERVED_LOGINS":
    "Логины через запятую, для регистрации которых нужен одноразовый код, так как приложения часто доверяют таким " +
    "именам; `*@example.org` — весь домен, `none` — ни одного",
  "GATEHOUSE_REGISTRATIONS_PER_HOUR": "Число регистраций с одного адреса в час, до 1000000; `0` — без ограничений",
  "GATEHOUSE_TRUSTED_PROXIES":
    "Адреса или блоки CIDR через запятую, чьему `X-Forwarded-For` можно доверять; loopback и unix-сокетам служба " +
    "доверяет всегда",
  "GATEHOUSE_ORIGINS":
    "Источники (origin) через запятую, например `https://app.example.org`, чьим страницам разрешён доступ к API " +
    "с токеном bearer (CORS); с cookie — никогда",
  "GATEHOUSE_TICKET_HOURS":
    "Срок действия одноразового кода в часах, от 1 до 8760; также и кода для первого администратора",
  "GATEHOUSE_SESSION_IDLE_HOURS":
    "Через сколько часов без использования завершается сеанс, от 1 до 8760; не больше `GATEHOUSE_SESSION_MAX_HOURS`",
  "GATEHOUSE_SESSION_MAX_HOURS": "Через сколько часов завершается сеанс, даже если им пользуются, от 1 до 8760",
  "GATEHOUSE_MAX_SESSIONS":
    "Число сеансов одного пользователя, от 1 до 1000; следующий сеанс завершает тот, которым дольше всего не " +
    "пользовались",
  "GATEHOUSE_TITLE": "Заголовок веб-страницы, не длиннее 40 символов",
  "GATEHOUSE_LOGO": "Путь к файлу SVG или PNG размером до 64 КиБ: логотип и значок веб-страницы",
};
